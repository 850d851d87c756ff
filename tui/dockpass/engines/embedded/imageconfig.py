"""The config of an image that is being built: what each instruction changes in it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dockpass.buildfiles.lines import Instruction
from dockpass.buildfiles.words import NOT_CLOSED

DEFAULT_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
DEFAULT_SHELL = ["/bin/sh", "-c"]

Expand = Callable[[str], str]
"""Replaces variables in a word and takes its quotes off; raises for one that cannot be read."""

_PORT = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?(?:/(tcp|udp|sctp))?", re.IGNORECASE)
_SPAN = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_SIGNAL = re.compile(r"(?:SIG)?[A-Z][A-Z0-9+-]*|\d{1,2}", re.IGNORECASE)
_HEALTH = {
    "--interval": "Interval",
    "--timeout": "Timeout",
    "--start-period": "StartPeriod",
    "--start-interval": "StartInterval",
}


class InstructionError(Exception):
    """An instruction that cannot be followed; `word` is the part at fault, `args[0]` why."""

    def __init__(self, why: str, word: str = "") -> None:
        super().__init__(why)
        self.word = word


@dataclass
class ImageConfig:
    """`data` is the `config` object of the image specification; `has_cmd` whether this file set CMD."""

    data: dict[str, Any] = field(default_factory=dict)
    author: str = ""
    has_cmd: bool = False

    @property
    def env(self) -> dict[str, str]:
        """The environment of the image."""
        pairs = (str(each).partition("=") for each in self.data.get("Env") or ())
        return {name: value for name, _, value in pairs}

    @property
    def workdir(self) -> str:
        """The working directory, `/` if none is set."""
        return self.data.get("WorkingDir") or "/"

    def begin_stage(self) -> list[str]:
        """Take over a base image's config; return its ONBUILD triggers, which happen once."""
        triggers = [str(each) for each in self.data.pop("OnBuild", None) or ()]
        if not any(name == "PATH" for name in self.env):
            self.data["Env"] = [*(self.data.get("Env") or ()), DEFAULT_PATH]
        return triggers

    def apply(self, instruction: Instruction, expand: Expand) -> None:
        """Follow an instruction that only changes the config; raises `InstructionError`."""
        _APPLY[instruction.keyword](self, instruction, expand)

    def set_env(self, name: str, value: str) -> None:
        """Set a variable, at its old place if it was there."""
        found = list(self.data.get("Env") or ())
        at = next((i for i, each in enumerate(found) if str(each).partition("=")[0] == name), len(found))
        found[at : at + 1] = [f"{name}={value}"]
        self.data["Env"] = found


def pairs_of(instruction: Instruction) -> list[tuple[str, str]]:
    """Return the pairs of ENV and LABEL, also in the old form `NAME the rest`."""
    words = instruction.words
    if not words:
        raise InstructionError("it needs a name and a value")
    if "=" not in words[0]:
        value = instruction.text.partition(words[0])[2].strip()
        if not value:
            raise InstructionError(f"{words[0]} has no value", words[0])
        return [(words[0], value)]
    for before, word in zip(("", *words), words, strict=False):
        if "=" not in word:
            if before.rfind("${") > before.rfind("}"):
                raise InstructionError(NOT_CLOSED, before)
            raise InstructionError("this word has no `=`; a value with blanks needs quotes", word)
        if word.startswith("="):
            raise InstructionError("a name is missing before the `=`", word)
    return [(name, value) for name, _, value in (word.partition("=") for word in words)]


def json_form(text: str) -> list[str] | None:
    """Return the words of the JSON form, or None if it is none."""
    if not text.lstrip().startswith("["):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(found, list) and all(isinstance(each, str) for each in found):
        return found
    raise InstructionError("the JSON form takes texts only, in double quotes", text[:40])


def _env(config: ImageConfig, instruction: Instruction, expand: Expand) -> None:
    pairs = [(expand(name), expand(value)) for name, value in pairs_of(instruction)]
    for name, value in pairs:
        config.set_env(name, value)


def _label(config: ImageConfig, instruction: Instruction, expand: Expand) -> None:
    labels = dict(config.data.get("Labels") or {})
    labels.update((expand(name), expand(value)) for name, value in pairs_of(instruction))
    config.data["Labels"] = labels


def _command(config: ImageConfig, instruction: Instruction, _expand: Expand) -> None:
    config.data["Cmd"] = _argv(config, instruction.text)
    config.has_cmd = True


def _entrypoint(config: ImageConfig, instruction: Instruction, _expand: Expand) -> None:
    config.data["Entrypoint"] = _argv(config, instruction.text)
    if not config.has_cmd:
        config.data.pop("Cmd", None)  # a base image's CMD belongs to its own entrypoint


def _argv(config: ImageConfig, text: str) -> list[str]:
    words = json_form(text)
    if words is not None:
        return words
    return [*(config.data.get("Shell") or DEFAULT_SHELL), text] if text else []


def _shell(config: ImageConfig, instruction: Instruction, _expand: Expand) -> None:
    words = json_form(instruction.text)
    if not words:
        raise InstructionError('it needs the JSON form, such as SHELL ["/bin/bash", "-c"]')
    config.data["Shell"] = words


def _user(config: ImageConfig, instruction: Instruction, expand: Expand) -> None:
    if not instruction.text:
        raise InstructionError("it names no user")
    config.data["User"] = expand(instruction.text)


def _stop_signal(config: ImageConfig, instruction: Instruction, expand: Expand) -> None:
    word = expand(_one(instruction))
    if not _SIGNAL.fullmatch(word):
        raise InstructionError(f"{word} is not a signal", instruction.words[0])
    config.data["StopSignal"] = word


def _expose(config: ImageConfig, instruction: Instruction, expand: Expand) -> None:
    ports = dict(config.data.get("ExposedPorts") or {})
    for word in instruction.text.split():
        for text in expand(word).split():
            found = _PORT.fullmatch(text)
            first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
            if not found or not 0 < first <= last < 65536:
                raise InstructionError(f"{text} is not a port", word)
            kind = (found[3] or "tcp").lower()
            ports.update({f"{number}/{kind}": {} for number in range(first, last + 1)})
    if not instruction.words:
        raise InstructionError("it names no port")
    config.data["ExposedPorts"] = ports


def _volume(config: ImageConfig, instruction: Instruction, expand: Expand) -> None:
    names = [expand(word) for word in words_of(instruction)]
    if not names or not all(name.strip() for name in names):
        raise InstructionError("it names no directory")
    config.data["Volumes"] = {**(config.data.get("Volumes") or {}), **{name: {} for name in names}}


def _health(config: ImageConfig, instruction: Instruction, _expand: Expand) -> None:
    kind, _, rest = instruction.text.partition(" ")
    if kind.upper() == "NONE" and not rest.strip():
        config.data["Healthcheck"] = {"Test": ["NONE"]}
        return
    if kind.upper() != "CMD" or not rest.strip():
        raise InstructionError("it takes CMD and a command, or NONE")
    words = json_form(rest.strip())
    check: dict[str, Any] = {"Test": ["CMD-SHELL", rest.strip()] if words is None else ["CMD", *words]}
    for flag in instruction.flags:
        name, _, value = flag.partition("=")
        if name == "--retries":
            if not value.isdecimal() or int(value) < 1:
                raise InstructionError("--retries takes a number from 1 on", flag)
            check["Retries"] = int(value)
        else:
            check[_HEALTH[name]] = _nanoseconds(value, flag)
    config.data["Healthcheck"] = check


def _nanoseconds(text: str, flag: str) -> int:
    parts = _SPAN.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise InstructionError(f"{text} is not a duration such as 30s", flag)
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    if 0 < seconds < 1e-3:
        raise InstructionError(f"{text} is less than a millisecond", flag)
    return round(seconds * 1e9)


def _on_build(config: ImageConfig, instruction: Instruction, _expand: Expand) -> None:
    trigger = (instruction.words or ("",))[0].upper()
    if trigger in {"ONBUILD", "FROM", "MAINTAINER", ""}:
        raise InstructionError(f"{trigger or 'nothing'} cannot be a trigger", (instruction.words or ("",))[0])
    config.data["OnBuild"] = [*(config.data.get("OnBuild") or ()), instruction.text]


def _maintainer(config: ImageConfig, instruction: Instruction, _expand: Expand) -> None:
    config.author = instruction.text


def _one(instruction: Instruction) -> str:
    if len(instruction.words) != 1:
        raise InstructionError("it takes exactly one word", " ".join(instruction.words[1:2]))
    return instruction.words[0]


def words_of(instruction: Instruction) -> list[str]:
    """Return the words of COPY, ADD, VOLUME and EXPOSE; quotes join no words there, as docker has it.

    A name with blanks needs the JSON form.
    """
    return json_form(instruction.text) or instruction.text.split()


_APPLY: Mapping[str, Callable[[ImageConfig, Instruction, Expand], None]] = {
    "ENV": _env,
    "LABEL": _label,
    "CMD": _command,
    "ENTRYPOINT": _entrypoint,
    "SHELL": _shell,
    "USER": _user,
    "STOPSIGNAL": _stop_signal,
    "EXPOSE": _expose,
    "VOLUME": _volume,
    "HEALTHCHECK": _health,
    "ONBUILD": _on_build,
    "MAINTAINER": _maintainer,
}
CONFIG_KEYWORDS = frozenset(_APPLY)
