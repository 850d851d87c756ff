"""The logins that a job's scripts make themselves, and what the job uses and nothing defines."""

from __future__ import annotations

import json
import textwrap
from typing import Any

import pytest
from ciproject import Files
from hypothesis import given, settings
from hypothesis import strategies as st

from dockpass.variables.gitlab.config import Config, read_config
from dockpass.variables.gitlab.includes import load
from dockpass.variables.gitlab.model import MAIN, PUSH, Definition, Level
from dockpass.variables.gitlab.predefined import Project, predefined
from dockpass.variables.gitlab.resolve import Situation, view_job
from dockpass.variables.jobscript import JobScript, own_logins_in_words, read_job
from dockpass.variables.undefined import undefined_in

CANARY = "glpat-Canary4f7Kq2wEabcd"
WORDS = "horse.Battery"
"""A password that looks like none."""
STDIN = "--password-stdin"


def config_of(yaml: str, **files: str) -> Config:
    texts = {".gitlab-ci.yml": textwrap.dedent(yaml), **files}
    return read_config(load(".gitlab-ci.yml", Files(texts), {}, lambda _rules: None))


def script_of(yaml: str, name: str = "j") -> JobScript:
    job = config_of(yaml).job(name)
    assert job is not None
    return read_job(job)


def one(line: str) -> dict[str, Any]:
    found = script_of(f"j:\n  script:\n    - |\n{textwrap.indent(line, '      ')}\n").logins
    assert len(found) == 1, found
    login = found[0]
    return {"program": login.program, "host": login.host, "user": login.user, "secrets": login.secrets}


@pytest.mark.parametrize(
    ("line", "program", "host", "user", "secrets"),
    [
        ("docker login -u $U -p $P $H", "docker login", "$H", "$U", ("P",)),
        ('docker login -u "$U" -p "${P}" "$H"', "docker login", "$H", "$U", ("P",)),
        ("docker login $H -u=bot --password=$P", "docker login", "$H", "bot", ("P",)),
        (
            f'echo "$P" | docker login -u bot {STDIN} r.example.com',
            "docker login",
            "r.example.com",
            "bot",
            ("P",),
        ),
        (
            f"printf %s $P | podman login -ubot {STDIN} r.example.com:5000/a",
            "podman login",
            "r.example.com:5000/a",
            "bot",
            ("P",),
        ),
        (f"docker login {STDIN} -u bot r.example.com <<< $P", "docker login", "r.example.com", "bot", ("P",)),
        (f"docker login {STDIN} -u bot r.example.com < $P", "docker login", "r.example.com", "bot", ("P",)),
        (f"cat $FILE | base64 -d | docker login {STDIN}", "docker login", "", "", ("FILE",)),
        ("docker --config /tmp/x -D login -u a -p $P", "docker login", "", "a", ("P",)),
        ("werf cr login -u $U -p $P $H", "werf cr login", "$H", "$U", ("P",)),
        ("buildah login -u a -p $P --tls-verify=false $H", "buildah login", "$H", "a", ("P",)),
        ("skopeo login --authfile x.json -u a -p $P $H", "skopeo login", "$H", "a", ("P",)),
        ("regctl registry login --user a --pass $P $H", "regctl registry login", "$H", "a", ("P",)),
        ("doctl registry login --access-token $P", "doctl registry login", "", "", ("P",)),
        ("skopeo login --tls-verify false -u a -p $P h.example", "skopeo login", "h.example", "a", ("P",)),
        ("docker login -u a -p $P ${H}:$PORT/v1/", "docker login", "${H}:$PORT/v1/", "a", ("P",)),
        (
            "docker login -u a -p $P https://${A:-x}.example:5000",
            "docker login",
            "https://${A…}.example:5000",
            "a",
            ("P",),
        ),
        ("docker login -u a -p $P $(cat host)", "docker login", "$(…)", "a", ("P",)),
        ("helm registry login -u a -p $P $H", "helm registry login", "$H", "a", ("P",)),
        ("crane auth login -u a -p $P $H", "crane auth login", "$H", "a", ("P",)),
        ("oras login -u a -p $P $H", "oras login", "$H", "a", ("P",)),
        ("/usr/bin/docker login $H", "docker login", "$H", "", ()),
        ("sudo -E docker login $H", "docker login", "$H", "", ()),
        ("DOCKER_CONFIG=/tmp timeout 10 docker login $H", "docker login", "$H", "", ()),
        ("sh -c 'docker login -u a -p $P $H'", "docker login", "$H", "a", ("P",)),
        (
            'A=1 sudo -E bash -euo pipefail -c "cd x && docker login -p $P $H"',
            "docker login",
            "$H",
            "",
            ("P",),
        ),
        ("regctl registry login -u a --pass my.secret $H", "regctl registry login", "$H", "a", ()),
        ("if ! docker login $H; then exit 1; fi", "docker login", "$H", "", ()),
        ("true && (cd x; docker login $H) || true", "docker login", "$H", "", ()),
        ("$CLI login $H", "$CLI login", "$H", "", ()),
        ("docker login \\\n  -u $U \\\n  -p $P \\\n  $H", "docker login", "$H", "$U", ("P",)),
        (
            "aws ecr get-login-password | docker login -u AWS --password-stdin 1.dkr.ecr.eu-1.amazonaws.com",
            "docker login",
            "1.dkr.ecr.eu-1.amazonaws.com",
            "AWS",
            (),
        ),
        (
            f"aws ecr get-login-password --region $REGION | docker login {STDIN} $H",
            "docker login",
            "$H",
            "",
            (),
        ),
        (f'curl -H "TOKEN: $T" x | tr -d x | docker login {STDIN} $H', "docker login", "$H", "", ()),
    ],
)
def test_a_login_is_read_with_its_host_user_and_variables(
    line: str, program: str, host: str, user: str, secrets: tuple[str, ...]
) -> None:
    assert one(line) == {"program": program, "host": host, "user": user, "secrets": secrets}


@pytest.mark.parametrize(
    "line",
    [
        "echo docker login -u a -p b",
        "# docker login",
        "docker push x && docker logout",
        "docker build login",
        "helm login x",
        "cat <<EOF\ndocker login x\nEOF",
        "echo 'docker login x'",
        "./docker-login.sh",
        "docker help login",
        "docker run login",
        "docker run x sh -c 'docker login x'",
        "sh -c 'echo docker login x'",
        "sh -x 'docker login x'",
        "sh -c",
    ],
)
def test_what_only_names_a_login_is_none(line: str) -> None:
    text = f"j:\n  script:\n    - |\n{textwrap.indent(line, '      ')}\n"
    assert not script_of(text).logins


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("echo '{}' > /kaniko/.docker/config.json", "/kaniko/.docker/config.json"),
        ('echo "$AUTH" > "$DOCKER_CONFIG/config.json"', "$DOCKER_CONFIG/config.json"),
        ("cp $AUTH ~/.docker/config.json", "~/.docker/config.json"),
        ("echo x | tee $HOME/.docker/config.json", "$HOME/.docker/config.json"),
    ],
)
def test_a_docker_config_that_a_script_writes_is_a_login_too(line: str, path: str) -> None:
    found = script_of(f"j:\n  script:\n    - |\n{textwrap.indent(line, '      ')}\n")
    assert [(each.program, each.is_file) for each in found.logins] == [(path, True)]
    assert f"`{path}` written at .gitlab-ci.yml:4" in own_logins_in_words(found.logins)


def test_each_login_has_its_line_wherever_its_script_comes_from() -> None:
    found = script_of(
        """\
        default:
          before_script: [docker login a.example.com]
        .base:
          script:
            - echo
            - docker login b.example.com
        j:
          script:
            - !reference [.base, script]
            - |
              echo

              docker login c.example.com
            - "docker login
              d.example.com"
            - >-
              docker login
              e.example.com
          after_script: docker login f.example.com
        """
    )
    places = [(each.host[:1], each.place.line) for each in found.logins]
    assert places == [("a", 2), ("b", 6), ("c", 13), ("d", 14), ("e", 17), ("f", 19)]


def test_it_is_said_once_and_in_words() -> None:
    found = script_of("j:\n  script:\n    - docker login -u $U -p $P $H\n")
    assert own_logins_in_words(found.logins) == (
        "This job logs in itself: `docker login` at .gitlab-ci.yml:3 (to $H as $U with $P). That writes another"
        " docker config, which dockpass does not follow: it shows what its own rules would choose."
    )
    many = script_of("j:\n  script:\n" + "    - docker login $H\n" * 9)
    assert "and 6 others" in own_logins_in_words(many.logins)
    assert own_logins_in_words(()) == ""


@pytest.mark.parametrize(
    "line",
    [
        f"docker login -u bot -p {CANARY} r.example.com",
        f"docker login -u bot -p{CANARY} r.example.com",
        f"docker login -u bot --password={CANARY} r.example.com",
        f"echo {CANARY} | docker login -u bot --password-stdin r.example.com",
        f"docker login -u bot --password-stdin r.example.com <<< '{CANARY}'",
        f"docker login -u oauth2:{CANARY} -p $P r.example.com",
        f"docker login -u {CANARY} -p $P r.example.com",
        f"docker login --unknown {CANARY} -p $P r.example.com",
        f"docker login bot:{CANARY}@r.example.com",
        f"docker login https://bot:{CANARY}@r.example.com",
        f"docker login -p ${{P:-{CANARY}}} r.example.com",
        f"docker login -p $(echo {CANARY}) r.example.com",
        f"docker login -u {CANARY}",
        f"docker login {CANARY}",
        f"docker login bot:{WORDS}",
        f"docker login -u bot:{WORDS} r.example.com",
        f"docker login -u 'bot -p {WORDS}' r.example.com",
        f"docker login $H:{WORDS}",
        f"docker login {WORDS}@r.example.com",
        f"podman login --creds bot:{WORDS} r.example.com",
        f"regctl registry login --user bot --pass {WORDS} r.example.com",
        f"regctl registry login -u bot --pass={WORDS} r.example.com",
        f"doctl registry login -t {WORDS}",
        f"doctl registry login --access-token {WORDS}",
        f"docker login --passwd {WORDS} -u bot r.example.com",
        f"docker login --some-token {WORDS} -u bot r.example.com",
        f"docker login https://r.example.com/v2/?token={WORDS}",
        f"docker login https://r.example.com/v2/#{WORDS}",
        f"echo x > /tmp/{CANARY}/.docker/config.json",
    ],
)
def test_a_secret_that_stands_in_a_script_is_never_shown(line: str) -> None:
    found = script_of(f"j:\n  script:\n    - |\n      {line}\n")
    assert found.logins
    shown = f"{own_logins_in_words(found.logins)} {found.logins!r} {found!r}"
    assert CANARY not in shown
    assert WORDS not in shown


def test_long_words_that_are_no_host_do_not_hang() -> None:
    line = "docker login " + " ".join(["$" + "a" * 40 + "$b.c" * 5000 + "!", "a." * 5000 + ":x"])
    assert [each.host for each in script_of(f"j: {{script: ['{line}']}}").logins] == [""]


def test_a_password_that_stands_in_a_script_is_known_as_a_secret() -> None:
    found = script_of("j:\n  script: ['docker login -u b -p hunter2hunter2 r.example.com']\n")
    assert [each.reveal() for each in found.passwords] == ["hunter2hunter2"]
    assert "with a password that stands in the script" in own_logins_in_words(found.logins)


@pytest.mark.parametrize("quoted", [r"$'hunter\x32\'hunter2'", '"hunter2\'hunter2"', r"hunter2\'hunter2"])
def test_such_a_password_is_the_one_that_the_shell_hands_on(quoted: str) -> None:
    found = script_of(f"j:\n  script:\n    - |\n      docker login -p {quoted} r.example.com\n")
    assert [each.reveal() for each in found.passwords] == ["hunter2'hunter2"]


@pytest.mark.parametrize(
    ("line", "in_arguments"),
    [
        ("docker login -p $P $H", True),
        ("docker login -phunter2 $H", True),
        ("docker login \\\n  --password=$P $H", True),
        ("regctl registry login --pass $P $H", True),
        ("sh -c 'docker login -p $P $H'", True),
        (f"echo $P | docker login {STDIN} $H", False),
        ("docker login $H", False),
    ],
)
def test_a_password_in_the_arguments_is_told_from_one_on_stdin(line: str, in_arguments: bool) -> None:
    found = script_of(f"j:\n  script:\n    - |\n{textwrap.indent(line, '      ')}\n")
    assert [each.in_arguments for each in found.logins] == [in_arguments]


def test_what_steers_a_terminal_is_taken_out() -> None:
    found = script_of('j:\n  script: ["docker login -u \\e[31m\\u202ebot r.example.com\\e]0;x\\a"]\n')
    assert own_logins_in_words(found.logins).isprintable()


BASE = """\
variables: {KNOWN: x, CI_REGISTRY: r.example.com}
"""


def undefined(yaml: str, *definitions: Definition, job: str = "j") -> dict[str, tuple[int, str]]:
    config = config_of(BASE + textwrap.dedent(yaml))
    found = config.job(job)
    assert found is not None
    given = tuple(predefined(Project(), MAIN, PUSH, given=definitions))
    view = view_job(config, Situation(definitions=given), found)
    return {
        each.name: (each.place.line, each.user) for each in undefined_in(config, found, view, read_job(found))
    }


def test_what_nothing_defines_is_listed_with_its_line_and_its_user() -> None:
    found = undefined(
        """\
        j:
          image: docker:$TAG
          services: [{name: "docker:$DIND", variables: {A: $IN_SERVICE}}]
          variables: {IMAGE: $KNOWN/$APP}
          script:
            - echo $KNOWN $IMAGE
            - docker push $PUSHED
        """
    )
    assert found == {
        "TAG": (3, "image"),
        "DIND": (4, "services"),
        "IN_SERVICE": (4, "services"),
        "APP": (5, "IMAGE"),
        "PUSHED": (8, "script"),
    }


@pytest.mark.parametrize(
    "yaml",
    [
        "j: {script: ['echo $HOME $PATH $PWD $USER $HOSTNAME $RANDOM $LC_ALL $TERM $IFS']}",
        "j: {script: ['echo $CI_COMMIT_SHORT_SHA $GITLAB_USER_LOGIN $CI_RUNNER_TAGS $CI_OPEN_MERGE_REQUESTS $FF_X']}",
        "j: {script: ['echo $$ $1 $@ $? ${#} ${1:-x}']}",
        "j: {script: [\"echo '$SINGLE' \\\\$ESCAPED\"]}",
        "j: {script: ['A=1', 'echo $A']}",
        "j: {before_script: ['export A=1'], script: ['echo $A'], after_script: ['echo $A']}",
        "j: {script: ['read -r A', 'for B in 1; do echo $A $B; done']}",
        'j: {script: ["cat > x <<EOF\\n$HERE\\nEOF"]}',
        "j: {script: ['source env.sh', 'echo $SOURCED']}",
        "j: {script: ['echo ${A:-default}', '[ -n \"$B\" ] && echo $B']}",
        "j: {script: ['echo $JAVA_HOME $DOCKER_HOST $GOPATH $KUBECONFIG $http_proxy']}",
        "j: {id_tokens: {ID: {aud: x}}, secrets: {VAULTED: {vault: x}}, script: ['echo $ID $VAULTED']}",
        "default: {id_tokens: {ID: {aud: x}}}\nj: {script: ['echo $ID']}",
        "j: {parallel: {matrix: [{A: [1, 2]}]}, script: ['echo $A']}",
        "j: {script: ['$env:A = 1', 'Write-Host $B']}",
        "j: {rules: [{if: '$KNOWN', variables: {A: x}}], script: ['echo $A']}",
        "b: {script: [x], artifacts: {reports: {dotenv: b.env}}}\nj: {needs: [b], script: ['echo $A']}",
        "b: {stage: build, script: [x], artifacts: {reports: {dotenv: b.env}}}\nj: {script: ['echo $A']}",
        "b: {script: [x], artifacts: {reports: {dotenv: b.env}}}\nj: {needs: [{job: b}], script: ['echo $A']}",
        "j: {needs: [{project: a/b, job: c, ref: main, artifacts: true}], script: ['echo $A']}",
        "j: {script: ['$[[ inputs.cmd ]] $KNOWN']}",
        "j: {variables: {A: '$$HOME 100% %'}, script: [x]}",
        "j: {trigger: a/b}",
    ],
)
def test_what_something_else_may_bring_is_not_listed(yaml: str) -> None:
    assert undefined(yaml) == {}


@pytest.mark.parametrize(
    "yaml",
    [
        "b: {script: [x], artifacts: {reports: {dotenv: b.env}}}\nj: {needs: [], script: ['echo $A']}",
        "b: {script: [x], artifacts: {reports: {dotenv: b.env}}}\nj: {dependencies: [], script: ['echo $A']}",
        "b: {script: [x], artifacts: {reports: {dotenv: b.env}}}\n"
        "j: {needs: [{job: b, artifacts: false}], script: ['echo $A']}",
        "b: {script: [x], artifacts: {reports: {junit: b.xml}}}\nj: {needs: [b], script: ['echo $A']}",
    ],
)
def test_a_report_that_does_not_reach_the_job_hides_nothing(yaml: str) -> None:
    assert list(undefined(yaml)) == ["A"]


def test_what_is_filtered_out_or_unknown_is_defined_somewhere() -> None:
    protected = Definition(key="A", value="x", level=Level.PROJECT, protected=True, scope="elsewhere")
    assert undefined("j: {script: ['echo $A']}", protected) == {}


def test_the_parts_of_a_secret_are_no_names() -> None:
    secret = Definition(key="ANY", value="pa$Canary", level=Level.PROJECT, masked=True)
    assert undefined("j: {script: ['echo $ANY']}", secret) == {}


NAMES = st.from_regex(r"X[A-Z0-9_]{1,12}", fullmatch=True)
USES = (
    "echo ${n}",
    'echo "a${{{n}}}b"',
    "docker push r/${n}:1",
    "test -f ${n} || exit 1",
    "echo $(echo ${n})",
)
HARMLESS = (
    "echo '${n}'",
    "echo \\${n}",
    "{n}=1",
    "export {n}=$(date)",
    "echo ${{{n}:-x}}",
    "# ${n}",
    "read {n}",
)


@settings(max_examples=150, deadline=None)
@given(used=st.sets(NAMES, max_size=5), harmless=st.sets(NAMES, max_size=5), data=st.data())
def test_exactly_what_is_used_and_not_set_is_listed(
    used: set[str], harmless: set[str], data: st.DataObject
) -> None:
    lines = [data.draw(st.sampled_from(USES)).format(n=name) for name in sorted(used)]
    lines += [data.draw(st.sampled_from(HARMLESS)).format(n=name) for name in sorted(harmless - used)]
    lines = data.draw(st.permutations(lines)) or ["true"]
    listed = "".join(f"    - {json.dumps(line)}\n" for line in lines)
    assert set(undefined(f"j:\n  script:\n{listed}")) == used


def test_scripts_of_an_include_that_is_not_loaded_may_set_anything() -> None:
    found = undefined(
        """\
        include: [{remote: "https://example.com/x.yml"}]
        j:
          script:
            - !reference [.elsewhere, script]
            - echo $A
        """
    )
    assert found == {}
