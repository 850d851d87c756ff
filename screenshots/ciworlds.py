"""A project with a pipeline, for the scenes of variables: files in memory, settings as GitLab has them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from dockpass.secrets import Redactor
from dockpass.session.desk import Desk, Imported, Looking
from dockpass.unknown import Unknown
from dockpass.variables.clone import Clone
from dockpass.variables.gitlab.model import Definition, Level, Ref, RefType
from dockpass.variables.gitlab.predefined import Project

FILES = {
    ".gitlab-ci.yml": """\
include:
  - local: ci/build.yml
  - local: ci/deploy.yml
  - template: Jobs/SAST.gitlab-ci.yml

variables:
  DOCKER_TLS_CERTDIR: /certs
  IMAGE_TAG: $CI_COMMIT_REF_SLUG

workflow:
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
    - if: $CI_COMMIT_BRANCH || $CI_COMMIT_TAG

publish:
  stage: publish
  variables:
    CI_REGISTRY: mirror.myhost.com
  rules:
    - if: $CI_COMMIT_TAG
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
      variables:
        IMAGE_TAG: latest
    - if: $RELEASE_KEY != null
  script:
    - docker push $CI_REGISTRY_IMAGE:$IMAGE_TAG
""",
    "ci/build.yml": """\
variables:
  BASE_IMAGE: registry.myhost.com/web/base:3

build-image:
  stage: build
  variables:
    BUILD_ARGS: --pull
  script:
    - docker build .

test:
  stage: test
  script:
    - make test
""",
    "ci/deploy.yml": """\
deploy:
  stage: deploy
  environment:
    name: production
    url: https://backend.myhost.com
  rules:
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
    - when: manual
  script:
    - make deploy

cleanup:
  stage: cleanup
  rules:
    - if: $CI_PIPELINE_SOURCE != "schedule"
      when: never
    - when: always
  script:
    - werf cleanup
""",
}
PROJECT = Project(
    path="web/backend",
    host="gitlab.myhost.com",
    default_branch="main",
    registry="registry.myhost.com",
)
FEATURE = Ref(name="feature/login", protected=False)
REFS = (
    Ref(name="main", protected=True),
    FEATURE,
    Ref(name="feature/search", protected=False),
    Ref(type=RefType.TAG, name="v1.4.0", protected=True),
)


@dataclass(frozen=True)
class MemoryClone(Clone):
    """A clone whose files are given."""

    files: dict[str, str] = field(default_factory=lambda: FILES)

    def read(self, path: str) -> str | None:
        return self.files.get(path)

    def paths(self) -> tuple[str, ...]:
        return tuple(sorted(self.files))

    def refs(self) -> tuple[Ref, ...]:
        return REFS


def _setting(key: str, value: str | None, level: Level = Level.PROJECT, **more: object) -> Definition:
    known = value if value is not None else Unknown("GitLab does not show it", is_set=True)
    return Definition(key=key, value=known, level=level, **more)  # type: ignore[arg-type]


SETTINGS = (
    _setting("WERF_IMAGES_CLEANUP_PASSWORD", "glpat-canary0123456789abcd", protected=True, masked=True),
    _setting("HARBOR_PASSWORD", "canary$ecret", Level.GROUP, origin="web", masked=True),
    _setting(
        "DOCKER_AUTH_CONFIG",
        '{"auths":{"quay.io":{"auth":"Ym90OmNhbmFyeS0x"}}}',
        Level.GROUP,
        origin="web",
        file=True,
    ),
    _setting("RELEASE_KEY", None, protected=True, hidden=True, masked=True),
    _setting("DATABASE_URL", "postgres://web:canary-db@db.myhost.com/web", masked=True, scope="production"),
    _setting("SENTRY_ENVIRONMENT", "live", scope="production"),
    _setting("BASE_IMAGE", "registry.myhost.com/web/base:4", Level.GROUP, origin="web"),
)

OF_PRODUCTION = tuple(
    _setting(f"{service}_{what}", f"canary-{service.lower()}-{what.lower()}", masked=True, scope="production")
    for service in ("BILLING", "CATALOGUE", "CHECKOUT", "IDENTITY", "MAIL", "SEARCH", "SHIPPING")
    for what in ("DATABASE_URL", "REDIS_URL", "API_TOKEN", "WEBHOOK_SECRET", "SENTRY_DSN")
)
"""Settings that only the environment production has: for any other job they are one finding."""


def clone(files: dict[str, str] | None = None, ref: Ref = FEATURE) -> MemoryClone:
    """A clone of the project, with a ref checked out."""
    return MemoryClone(Path("/srv/app"), {}, ref, PROJECT, files=files if files is not None else FILES)


def desk(
    made: Clone | None,
    *,
    job: str = "",
    ref: Ref = FEATURE,
    settings: tuple[Definition, ...] = SETTINGS,
    redactor: Redactor | None = None,
) -> Desk:
    """A desk before a clone, with settings that were imported."""
    imported = (Imported(label="vars.json", definitions=settings),) if settings else ()
    return Desk(
        made, Looking(job=job, ref=ref), imported, redactor or Redactor(), known_refs=REFS, clock=lambda: 0.0
    )
