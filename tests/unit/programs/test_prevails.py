"""What wins over the config whatever the environment says is told before."""

from __future__ import annotations

import pytest

from dockpass.programs.prevails import prevailing


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("docker --config /x push r/a", "--config"),
        ("/usr/bin/docker --config=/x push r/a", "--config"),
        ("skopeo copy --dest-creds a:b docker://x docker://y", "--dest-creds"),
        ("podman push --authfile /x a", "--authfile"),
        ("helm push x oci://y --registry-config=/z", "--registry-config"),
        ("regctl --host r image copy", "--host"),
        ("sudo docker push a", "sudo"),
        ("timeout -k 5 60 sudo docker push a", "sudo"),
        ("nice -n 10 ssh host docker push a", "ssh"),
        ("env A=b nohup skopeo copy --src-no-creds docker://x docker://y", "--src-no-creds"),
        ("env DOCKER_CONFIG=/x docker push a", "DOCKER_CONFIG="),
        ("skopeo copy --dest-registry-token t docker://x docker://y", "--dest-registry-token"),
        ("oras cp --to-username me a b", "--to-username"),
        ("oras cp --from-registry-config=/x a b", "--from-registry-config"),
        ("oras push -u me a b", "-u"),
        ("docker --context box -l debug run image", "container"),
        ("docker container exec box true", "container"),
        ("docker compose --ansi never -f x run web", "container"),
        ("env -i docker push a", "env"),
        ("docker run image", "container"),
        ("podman exec box true", "container"),
        ("/snap/bin/docker push a", "snap"),
        ("./gradlew jib", "jib"),
        ("kubectl create secret docker-registry x", "cluster"),
    ],
)
def test_it_is_told(line: str, word: str) -> None:
    [told] = prevailing(line.split())
    assert word in told


@pytest.mark.parametrize(
    "line",
    [
        "docker push a",
        "make --config x",
        "docker build --build-arg run .",
        "env A=b docker push a",
        "env",
        "timeout 60",
        "xargs -n 1 docker push",
        "docker push run/exec",
        "docker compose push run",
        "echo -u",
        "kubectl get pods",
    ],
)
def test_what_does_not_is_not(line: str) -> None:
    assert not list(prevailing(line.split()))


def test_a_value_is_not_repeated() -> None:
    assert "secret" not in "".join(prevailing(["skopeo", "--creds=me:secret"]))
