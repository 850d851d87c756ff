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
        "kubectl get pods",
    ],
)
def test_what_does_not_is_not(line: str) -> None:
    assert not list(prevailing(line.split()))


def test_a_value_is_not_repeated() -> None:
    assert "secret" not in "".join(prevailing(["skopeo", "--creds=me:secret"]))
