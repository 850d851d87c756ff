"""What the name of a variable tells: whether something other than the sources here may give it to jobs."""

from __future__ import annotations

import re

from dockpass.variables.gitlab.known import known_variables
from dockpass.variables.gitlab.versions import NEWEST, Version

_OF_GITLAB = re.compile(r"(?:CI|GITLAB|CHAT|TRIGGER)_")
_OTHERS = re.compile(
    r"""
    # POSIX shells and bash
    HOME|PATH|PWD|OLDPWD|USER|USERNAME|LOGNAME|HOSTNAME|SHELL|TERM|LANG|LANGUAGE|TZ|IFS|ENV|CDPATH
    |S?RANDOM|SECONDS|LINENO|PPID|E?UID|GID|GROUPS|SHLVL|OPT(?:ARG|IND|ERR)|REPLY|PS[1-4]|COLUMNS|LINES
    |TMPDIR|TMP|TEMP|PIPESTATUS|FUNCNAME|DIRSTACK|(?:HOST|MACH|OS)TYPE|EPOCH(?:SECONDS|REALTIME)|MAPFILE
    |COPROC|EDITOR|VISUAL|PAGER|DISPLAY|MAIL|(?:LC|BASH|COMP|XDG|ZSH)_\w+|(?:BASH|HIST)\w*
    # programs that set them in the shell that starts them
    |SSH_AUTH_SOCK|SSH_AGENT_PID|VIRTUAL_ENV
    # GitLab Runner, its executors and the integrations of GitLab
    |GITLAB_(?:ENV|OBJECT_FORMAT)|(?:FF|RUNNER|HARBOR|KUBE|KUBERNETES)_\w+|KUBECONFIG
    # images
    |DOCKER_(?:HOST|TLS_CERTDIR|CERT_PATH|TLS_VERIFY|VERSION|BUILDX_VERSION|COMPOSE_VERSION)|DIND_COMMIT
    |DEBIAN_FRONTEND|(?:https?|no|all)_proxy|(?:HTTPS?|NO|ALL)_PROXY|SSL_CERT_(?:DIR|FILE)|NIX_\w+
    |(?:JAVA|JDK|JRE|M2|MAVEN|GRADLE|GRADLE_USER|ANDROID|CARGO|RUSTUP|GEM|COMPOSER|PYTHON)_HOME|MAVEN_CONFIG
    |ANDROID_SDK_ROOT|GO(?:PATH|ROOT|BIN)|(?:JAVA|GOLANG|RUST|NODE|YARN|PYTHON|RUBY|PHP)_VERSION
    |NPM_CONFIG_\w+|NVM_DIR|PYTHONPATH|BUNDLE_PATH
    """,
    re.VERBOSE,
)


def may_be_provided(name: str, version: Version | None = None) -> bool:
    """Tell whether a shell, an image or the runner may set a variable of this name, or a `version` of GitLab
    that is newer than the list of predefined variables."""
    is_newer = version is not None and version > NEWEST and not is_predefined(name)
    return bool(_OTHERS.fullmatch(name) or (is_newer and _OF_GITLAB.match(name)))


def is_predefined(name: str) -> bool:
    """Tell whether it is the name of a predefined variable."""
    return name in known_variables()


def where_set(name: str, version: Version | None = None) -> str:
    """Say where GitLab sets a predefined variable that a job does not get; empty for any other name."""
    each = known_variables().get(name)
    if each is None:
        return ""
    if not each.is_in(version):
        if each.until is not None and (version is None or version >= each.until):
            return f"GitLab sets it before {each.until} only"
        return f"GitLab sets it since {each.since}"
    return f"GitLab sets it {each.context} only" if each.context else "GitLab sets it in some jobs only"
