# `make run` and `make test` set everything up themselves: Python 3.11 or later, its venv module and make are enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
# What is started: the screen, in a sandbox where nothing else is here.
START := $(or $(ARGS),try)

.PHONY: run test lint screenshots docs bench lock clean

run: $(VENV)/run.stamp
	$(BIN)/dockpass $(START)

test: $(VENV)/dev.stamp
	$(BIN)/python -m pytest -n 2 --dist loadgroup $(ARGS)

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/docs.py --check
	$(BIN)/python screenshots/make.py --check

screenshots: $(VENV)/dev.stamp
	$(BIN)/python screenshots/make.py

docs: $(VENV)/dev.stamp
	$(BIN)/python tools/docs.py

bench: $(VENV)/dev.stamp
	$(BIN)/python bench/run.py

lock: $(VENV)/dev.stamp
	$(PYTHON) tools/lock.py

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/run.stamp: requirements.lock pyproject.toml tools/setup.sh
	sh tools/setup.sh "$(PYTHON)" $(VENV) requirements.lock
	touch $@

$(VENV)/dev.stamp: requirements.lock requirements-dev.lock pyproject.toml tools/setup.sh
	sh tools/setup.sh "$(PYTHON)" $(VENV) requirements.lock requirements-dev.lock
	touch $@ $(VENV)/run.stamp
