# `make run` and `make test` set everything up themselves: Python 3.11 or later, its venv module and make are enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
# What is started: the screen, in a sandbox where nothing else is here.
START := $(or $(ARGS),try)

# Compiled modules are kept: without them every start of pytest and of dockpass compiles them again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test check lint screenshots docs site bench lock clean

help:
	@echo "make run          set everything up and start the screen (ARGS=... for another command)"
	@echo "make test         set everything up and run all tests (ARGS=tests/unit/auth for a part)"
	@echo "make check        lint, types, contracts and the unit tests of the core"
	@echo "make lint         style, types, contracts and generated pages"
	@echo "make screenshots  draw the pictures of the scenes"
	@echo "make docs         write the generated pages"
	@echo "make site         build the documentation site into .site/html"
	@echo "make bench        measure, beside the peers that are installed"
	@echo "make lock         write the exact versions"

run: $(VENV)/run.stamp
	$(BIN)/dockpass $(START)

test: $(VENV)/dev.stamp
	$(BIN)/python -m pytest -n 4 --dist loadgroup $(ARGS)

check: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n 4 --dist loadgroup tests/contracts tests/unit/auth tests/unit/buildfiles tests/unit/variables \
		tests/unit/doctor tests/unit/scenario tests/unit/cleanup tests/unit/cli tests/unit/runs tests/unit/ui tests/unit/test_*.py \
		--ignore=tests/unit/cli/test_cleanup_command.py --ignore=tests/unit/cli/test_docs_commands.py \
		--ignore=tests/unit/cli/test_sandbox_command.py --ignore=tests/unit/test_guard.py

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/docs.py --check

screenshots: $(VENV)/dev.stamp
	$(BIN)/python screenshots/make.py

docs: $(VENV)/dev.stamp
	$(BIN)/python tools/docs.py

site: .venv-site/stamp
	.venv-site/bin/python tools/site.py

bench: $(VENV)/dev.stamp
	$(BIN)/python bench/run.py

lock: $(VENV)/dev.stamp
	$(PYTHON) tools/lock.py

clean:
	rm -rf $(VENV) .venv-site .site .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/run.stamp: requirements.lock pyproject.toml tools/setup.sh
	sh tools/setup.sh "$(PYTHON)" $(VENV) requirements.lock
	touch $@

$(VENV)/dev.stamp: requirements.lock requirements-dev.lock pyproject.toml tools/setup.sh
	sh tools/setup.sh "$(PYTHON)" $(VENV) requirements.lock requirements-dev.lock
	touch $@ $(VENV)/run.stamp

.venv-site/stamp: requirements-site.lock
	$(PYTHON) -m venv .venv-site
	.venv-site/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-site.lock
	touch $@
