"""What the name of a variable tells: whether something other than the sources here may give it to jobs."""

from __future__ import annotations

import re

OF_GITLAB = re.compile(r"(?:CI|GITLAB|CHAT|TRIGGER)(?:_|$)")
"""Names that GitLab or the runner gives to jobs, not all of which are known here."""

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
    |(?:FF|RUNNER|HARBOR|KUBE|KUBERNETES)_\w+|KUBECONFIG
    # images
    |DOCKER_(?:HOST|TLS_CERTDIR|CERT_PATH|TLS_VERIFY|VERSION|BUILDX_VERSION|COMPOSE_VERSION)|DIND_COMMIT
    |DEBIAN_FRONTEND|(?:https?|no|all)_proxy|(?:HTTPS?|NO|ALL)_PROXY|SSL_CERT_(?:DIR|FILE)|NIX_\w+
    |(?:JAVA|JDK|JRE|M2|MAVEN|GRADLE|GRADLE_USER|ANDROID|CARGO|RUSTUP|GEM|COMPOSER|PYTHON)_HOME|MAVEN_CONFIG
    |ANDROID_SDK_ROOT|GO(?:PATH|ROOT|BIN)|(?:JAVA|GOLANG|RUST|NODE|YARN|PYTHON|RUBY|PHP)_VERSION
    |NPM_CONFIG_\w+|NVM_DIR|PYTHONPATH|BUNDLE_PATH
    """,
    re.VERBOSE,
)


def may_be_provided(name: str) -> bool:
    """Tell whether a shell, an image, the runner or GitLab may set a variable of this name."""
    return bool(OF_GITLAB.match(name) or _OTHERS.fullmatch(name))
