"""Checks of build files: what BuildKit refuses, and base images that are not known."""

from __future__ import annotations

from collections.abc import Iterator

from dockpass.doctor import formats, sources
from dockpass.doctor.check import Check, Need, Patient
from dockpass.doctor.formats import in_notes
from dockpass.findings import Finding, Severity

_OTHERS = frozenset(
    {
        *("image-unknown", "image-invalid", "arg-unset", "template", "classic-builder", "build-unsupported"),
        *(name for check in formats.CHECKS for name in check.names),
    }
)


def in_refusals(patient: Patient) -> Iterator[Finding]:
    """Yield why the build file cannot be used; the kind of refusal is the id of the finding."""
    return (note for note in patient.notes if note.id not in _OTHERS)


CHECKS: tuple[Check, ...] = (
    Check(
        id="DP-BLD-001",
        names=("build-file",),
        level=Severity.WARNING,
        need=Need.BUILD,
        look=in_refusals,
        title="The build file cannot be used as it is.",
        matters="It is not known which base images the build pulls, and so which login it needs.",
        fix="Correct the file, or name the base images with --from.",
        source=sources.DOCKERFILE,
        symptoms=(r"dockerfile parse error", r"failed to solve"),
    ),
    Check(
        id="DP-BLD-002",
        names=("image-unknown", "image-invalid", "arg-unset", "template"),
        level=Severity.WARNING,
        need=Need.BUILD,
        look=in_notes,
        title="A base image is not known.",
        matters="A build logs in to the registries of its base images; for this image, the registry is not"
        " known.",
        fix="Give the missing --build-arg, or name the base images with --from.",
        many="have base images that are not known",
        nouns="lines",
        source=sources.DOCKERFILE,
        symptoms=(r"base name \(.{0,200}\) should not be blank", r"invalid reference format"),
    ),
    Check(
        id="DP-BLD-003",
        names=("classic-builder",),
        level=Severity.WARNING,
        need=Need.BUILD,
        look=in_notes,
        title="The classic builder pulls more images than BuildKit.",
        matters="It runs every stage up to the target, so it needs a login for images that BuildKit never"
        " pulls.",
        fix="Build with BuildKit (DOCKER_BUILDKIT=1), or remove the stage.",
        many="are pulled by the classic builder only",
        nouns="images",
        source="https://docs.docker.com/build/buildkit/",
        symptoms=(r"pull access denied",),
    ),
    Check(
        id="DP-BLD-004",
        names=("build-unsupported",),
        level=Severity.WARNING,
        need=Need.BUILD,
        look=in_notes,
        title="dockpass cannot run this build.",
        matters="It can tell which login the build would use, but cannot run the build.",
        fix="Build with the tool that the file was written for.",
        source=sources.DOCKERFILE,
    ),
)
