"""What the name of a variable tells: whether something other than the sources here may give it to jobs."""

from __future__ import annotations

from dockpass.variables.gitlab.known import known_variables
from dockpass.variables.gitlab.versions import NEWEST, Version

_OF_GITLAB = ("CI_", "GITLAB_", "CHAT_", "TRIGGER_")
_OF_SHELLS = (
    "HOME PATH PWD OLDPWD USER USERNAME LOGNAME HOSTNAME SHELL TERM LANG LANGUAGE TZ IFS ENV CDPATH RANDOM"
    " SRANDOM SECONDS LINENO PPID UID EUID GID GROUPS SHLVL OPTARG OPTIND OPTERR REPLY PS1 PS2 PS3 PS4"
    " COLUMNS LINES TMPDIR TMP TEMP PIPESTATUS FUNCNAME DIRSTACK HOSTTYPE MACHTYPE OSTYPE EPOCHSECONDS"
    " EPOCHREALTIME MAPFILE COPROC EDITOR VISUAL PAGER DISPLAY MAIL"
)
_OF_PROGRAMS = "SSH_AUTH_SOCK SSH_AGENT_PID VIRTUAL_ENV GITLAB_ENV GITLAB_OBJECT_FORMAT KUBECONFIG"
"""What programs set in the shell that starts them, and what the runner does."""
_OF_IMAGES = (
    "DOCKER_HOST DOCKER_TLS_CERTDIR DOCKER_CERT_PATH DOCKER_TLS_VERIFY DOCKER_VERSION DOCKER_BUILDX_VERSION"
    " DOCKER_COMPOSE_VERSION DIND_COMMIT DEBIAN_FRONTEND http_proxy https_proxy no_proxy all_proxy HTTP_PROXY"
    " HTTPS_PROXY NO_PROXY ALL_PROXY SSL_CERT_DIR SSL_CERT_FILE JAVA_HOME JDK_HOME JRE_HOME M2_HOME"
    " MAVEN_HOME GRADLE_HOME GRADLE_USER_HOME ANDROID_HOME CARGO_HOME RUSTUP_HOME GEM_HOME COMPOSER_HOME"
    " PYTHON_HOME MAVEN_CONFIG ANDROID_SDK_ROOT GOPATH GOROOT GOBIN JAVA_VERSION GOLANG_VERSION RUST_VERSION"
    " NODE_VERSION YARN_VERSION PYTHON_VERSION RUBY_VERSION PHP_VERSION NVM_DIR PYTHONPATH BUNDLE_PATH"
)
_NAMES = frozenset(f"{_OF_SHELLS} {_OF_PROGRAMS} {_OF_IMAGES}".split())
_PREFIXES = (
    *("LC_", "BASH", "COMP_", "XDG_", "ZSH_", "HIST"),  # shells
    *("FF_", "RUNNER_", "HARBOR_", "KUBE_", "KUBERNETES_"),  # the runner, its executors and integrations
    *("NIX_", "NPM_CONFIG_"),  # images
)


def may_be_provided(name: str, version: Version | None = None) -> bool:
    """Tell whether a shell, an image or the runner may set a variable of this name, or a `version` of GitLab
    that is newer than the list of predefined variables."""
    is_newer = version is not None and version > NEWEST and not is_predefined(name)
    return name in _NAMES or name.startswith(_PREFIXES) or (is_newer and name.startswith(_OF_GITLAB))


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
