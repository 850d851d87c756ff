"""Random configs for the readers: files, variables and helpers as people have them, and worse."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HUB = "https://index.docker.io/v1/"
HELPERS = {
    "knows": """printf '{"ServerURL":"%s","Username":"helper","Secret":"from-helper"}' "$key" """,
    "token": """printf '{"ServerURL":"%s","Username":"<token>","Secret":"identity"}' "$key" """,
    "none": "echo 'credentials not found in native keychain'; exit 1",
    "words": "echo 'sorry, credentials not found in native keychain today'; exit 1",
    "locked": "echo 'the keychain is locked'; exit 1",
    "junk": "echo 'no json'",
    "silent": "true",
    "blank": """printf '{"ServerURL":"","Username":"","Secret":""}'""",
    "half": """printf '{"Username":"half"}'""",
    "lower": """printf '{"username":"lower","secret":"s"}'""",
    "other": """printf '{"ServerURL":"other.example","Username":"other","Secret":"s"}'""",
    "numbers": """printf '{"Username":5,"Secret":6}'""",
    "trailing": """printf '{"Username":"trailing","Secret":"s"} and more'""",
}
NAMES = (*HELPERS, "missing", "knows", "none", "knows", "none")


def write_helpers(directory: Path) -> None:
    """Write every helper, and the system's store into a directory of its own."""
    for where, names in (
        (directory / "helpers", HELPERS),
        (directory / "system", {"secretservice": HELPERS["knows"]}),
    ):
        where.mkdir(parents=True)
        for name, script in names.items():
            program = where / f"docker-credential-{name}"
            program.write_text(
                f'#!/bin/sh\nread -r key\n[ "$1" = list ] && {{ printf "{{}}"; exit; }}\n{script}\n'
            )
            program.chmod(0o755)


@dataclass
class Case:
    """Files by path below the home (None is a directory), variables, and the image that is wanted."""

    image: str
    files: dict[str, bytes | None] = field(default_factory=dict)
    environ: dict[str, str] = field(default_factory=dict)
    directories: list[str] = field(default_factory=list)

    def write(self, home: Path) -> dict[str, str]:
        """Write the files; return the environment, in which `@` stands for the home."""
        for name, content in self.files.items():
            path = home / name
            if content is None:
                path.mkdir(parents=True)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod(0o600)
        for name in self.directories:
            (home / name).mkdir(parents=True, exist_ok=True)
        return {"HOME": str(home)} | {
            name: value.replace("@", str(home)) for name, value in self.environ.items()
        }


def b64(text: str | bytes) -> str:
    return base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


@dataclass
class Maker:
    """Makes cases for one host."""

    rng: random.Random
    host: str
    serial: int = 0

    def chance(self, percent: int) -> bool:
        return self.rng.randrange(100) < percent

    def pick(self, choices: Sequence[Any]) -> Any:
        return self.rng.choice(choices)

    def case(self) -> Case:
        """A case: the files of all tools, each with some chance, and the variables."""
        image = self.pick(
            [
                f"{self.host}/team/app",
                f"{self.host}/team/app",
                f"{self.host}/solo",
                f"{self.host}/team/sub/app",
            ]
        )
        case = Case(image)
        if self.chance(85):
            case.files[".docker/config.json"] = self.file()
        if self.chance(30):
            case.environ["DOCKER_CONFIG"] = "@/own"
            if self.chance(60):
                case.files["own/config.json"] = self.file()
        if self.chance(25):
            case.files[".config/containers/auth.json"] = self.file(sections=("auths", "credHelpers"))
        if self.chance(30):
            case.environ["XDG_RUNTIME_DIR"] = "@/run"
            if self.chance(70):
                case.directories.append("run")
                if self.chance(60):
                    case.files["run/containers/auth.json"] = self.file(sections=("auths", "credHelpers"))
        if self.chance(15):
            case.environ["REGISTRY_AUTH_FILE"] = "@/named.json"
            if self.chance(70):
                case.files["named.json"] = self.file(sections=("auths", "credHelpers"))
        if self.chance(12):
            case.files[".dockercfg"] = self.legacy()
        if self.chance(35):
            case.environ["DOCKER_AUTH_CONFIG"] = self.variable()
        return case

    def file(self, sections: Sequence[str] = ("auths", "credsStore", "credHelpers")) -> bytes | None:
        raw = self.json_of(self.config(sections))
        if not self.chance(10):
            return raw
        return self.pick(
            [
                b"", b" \n", b"{", b"[]", b"null", b'"x"', b"{}", b'{"auths":{}}', b'{"auths":null}', None,
                b"\xef\xbb\xbf" + raw, raw + b" trailing", raw + b"{}", b"\n\t " + raw, raw.replace(b"user", b"us\xe9r"),
                raw.replace(b'"auths"', b'"Auths"'), b'{"auths":[]}', b'{"auths":"x"}', b'{"credHelpers":[]}',
                b'{"credHelpers":["x"]}', b'{"credsStore":5}', raw.replace(b":", b": \x01", 1), b'{"auths": NaN}',
                raw[:-1] + b',"auths":{"' + self.host.encode() + b'":{"auth":"ZHVwOng="}}}' if len(raw) > 2 else raw,
                b"auth = " + b64("old:pw").encode() + b"\nemail = a@b\n",
            ]
        )  # fmt: skip

    def json_of(self, value: object) -> bytes:
        return json.dumps(value, indent=self.pick([None, 4])).encode()

    def config(self, sections: Sequence[str]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if "auths" in sections and self.chance(88):
            found["auths"] = {self.key(): self.entry() for _ in range(self.rng.randint(0, 3))}
        if "credsStore" in sections and self.chance(22):
            found["credsStore"] = self.pick([*NAMES, ""])
        if "credHelpers" in sections and self.chance(22):
            found["credHelpers"] = {
                self.key(): self.pick([*NAMES, ""]) for _ in range(self.rng.randint(1, 2))
            }
        if self.chance(15):
            found |= self.pick(
                [
                    {"credStore": "knows"}, {"HttpHeaders": {"a": "b"}}, {"proxies": {"default": {"httpProxy": "x"}}},
                    {"features": {"buildkit": True}}, {"features": {"buildkit": "true"}}, {"psFormat": 5},
                    {"unknown": {"a": [1, 2]}}, {"currentContext": ""}, {"plugins": {"a": {"b": "c"}}},
                    {"plugins": {"a": 5}}, {"detachKeys": None}, {"pruneFilters": ["a"]}, {"pruneFilters": "a"},
                    {"proxies": 5}, {"aliases": {}}, {"HttpHeaders": ["a"]},
                ]
            )  # fmt: skip
        if self.chance(5):
            found = {self.pick([str.upper, str.title])(name): value for name, value in found.items()}
        pairs = list(found.items())
        self.rng.shuffle(pairs)
        return dict(pairs)

    def key(self) -> str:
        host, port = self.host.rpartition(":")[::2]
        own = [
            self.host, self.host, self.host, self.host, f"https://{self.host}", f"http://{self.host}/v1/",
            f"https://{self.host}/v2/", f"{self.host}/team", f"{self.host}/team/app", f"{self.host}/team/app:1",
            f"{self.host}/", f"{self.host}/other", f"https://{self.host}/team/app", f"https://u:p@{self.host}/",
            f"HTTPS://{self.host}/", f"1http://{self.host}/", f"https://{self.host}/%zz", f"//{self.host}",
        ]  # fmt: skip
        foreign = [
            host, f"{host}:1", self.host.upper(), f"127.0.0.1:{port}", HUB, "docker.io", "index.docker.io",
            "other.example", "https://other.example/v1/", "x.invalid", "", "https://", "/",
        ]  # fmt: skip
        return str(self.pick(own if self.chance(70) else foreign))

    def entry(self) -> object:
        self.serial += 1
        user, password = f"user{self.serial}", f"pw-{self.serial}"
        good = {"auth": b64(f"{user}:{password}")}
        if self.chance(66):
            return good
        return self.pick(
            [
                {}, {}, good | {"email": "a@b"}, good | {"email": 5}, good | {"identitytoken": f"id-{user}"},
                good | {"identitytoken": ""}, {"identitytoken": f"id-{user}"}, {"registrytoken": f"reg-{user}"},
                good | {"registrytoken": f"reg-{user}"}, {"username": user, "password": password},
                good | {"username": "field", "password": "field"}, {"auth": "!!!"}, {"auth": b64("nocolon")},
                {"auth": "!!!", "username": "field", "password": "field"}, {"auth": b64(f":{password}")},
                {"auth": b64(f"{user}:")}, {"auth": ""}, {"auth": "", "username": user, "password": password},
                {"auth": b64(f"{user}:{password}\0")}, {"auth": b64(f"{user}:\0{password}")},
                {"auth": good["auth"][:6] + "\n" + good["auth"][6:]}, {"auth": good["auth"][:6] + "*" + good["auth"][6:]},
                {"auth": good["auth"].rstrip("=") + "="}, {"auth": b64(user.encode() + b":\xff\xe2\x82")},
                {"auth": b64(f"{user}:a:b:c")}, {"auth": b64(f"{user}:pässwörd")}, {"auth": "é"}, {"auth": 5},
                {"auth": None}, {"Auth": good["auth"]}, {"auth": good["auth"], "AUTH": b64("second:x")},
                5, None, "text", [], {"username": user}, {"password": password}, {"serveraddress": "x"},
            ]
        )  # fmt: skip

    def variable(self) -> str:
        entries = {
            self.key(): {"auth": b64(f"var{index}:pw-{index}")} for index in range(self.rng.randint(1, 2))
        }
        if self.chance(70):
            return json.dumps({"auths": entries})
        return str(
            self.pick(
                [
                    json.dumps({"auths": entries, "credsStore": "knows"}), json.dumps({"auths": {self.host: self.entry()}}),
                    json.dumps({"AUTHS": entries}), "{", "{}", "null", "[]", json.dumps({"auths": entries}) + "}",
                    json.dumps({"auths": entries}) + "{}", json.dumps({"auths": {}}), json.dumps({"auths": None}), " ",
                    json.dumps({"auths": entries | {self.host: {}}}), json.dumps({"auths": entries | {"x": None}}),
                    json.dumps({"credHelpers": {self.host: "knows"}}), json.dumps({"auths": entries}) + " x",
                ]
            )
        )  # fmt: skip

    def legacy(self) -> bytes:
        if self.chance(30):
            return b"auth = " + b64("old:pw").encode() + b"\nemail = a@b\n"
        return self.json_of({self.key(): self.entry() for _ in range(self.rng.randint(1, 2))})
