"""Where the rules of the checks come from."""

from __future__ import annotations

VARIABLES = "https://docs.gitlab.com/ci/variables/"
WHERE_EXPANDED = "https://docs.gitlab.com/ci/variables/where_variables_can_be_used/"
PREDEFINED = "https://docs.gitlab.com/ci/variables/predefined_variables/"
YAML = "https://docs.gitlab.com/ci/yaml/"
RULES = "https://docs.gitlab.com/ci/jobs/job_rules/"
ENVIRONMENTS = "https://docs.gitlab.com/ci/environments/"
REGISTRY = "https://docs.gitlab.com/user/packages/container_registry/authenticate_with_container_registry/"
JOB_TOKEN = "https://docs.gitlab.com/ci/jobs/ci_job_token/"  # noqa: S105 - an address
DEPLOY_TOKEN = "https://docs.gitlab.com/user/project/deploy_tokens/"  # noqa: S105 - an address
DEPENDENCY_PROXY = "https://docs.gitlab.com/user/packages/dependency_proxy/"
PRIVATE_IMAGES = "https://docs.gitlab.com/ci/docker/using_docker_images/"
DOCKER_IN_DOCKER = "https://docs.gitlab.com/ci/docker/using_docker_build/"
DOCKER_LOGIN = "https://docs.docker.com/reference/cli/docker/login/"
DOCKER_CONFIG = "https://docs.docker.com/reference/cli/docker/#configuration-files"
ENV_FILE = "https://docs.docker.com/reference/cli/docker/container/run/#env"
AUTH_CONFIG = "https://github.com/docker/cli/issues/6156"
REFERENCES = "https://pkg.go.dev/github.com/distribution/reference"
DOCKERFILE = "https://docs.docker.com/reference/dockerfile/"
LOGIN_RULES = "docs/login-methods.md"
