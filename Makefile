# Everything a newcomer runs. Needs only make and Python 3.11 or later with venv; sets up .venv by itself.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
# A fixed installer: what it installs is fixed by the locks.
UV_VERSION := 0.13.9
LOCK := $(UV) pip compile pyproject.toml --universal --python-version 3.11 --no-emit-index-url \
	--generate-hashes --no-header --no-annotate --quiet
INSTALL := $(UV) pip install --python $(BIN)/python --require-hashes --compile-bytecode
PROJECT := $(UV) pip install --python $(BIN)/python --quiet --no-deps --no-build-isolation --editable .

.DEFAULT_GOAL := help
.PHONY: help demo install test slow lint format bench soak draws fuzz faults mutants docs ui lock clean

help:  ## list the commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## */\t/' | expand -t 10

demo: $(VENV)/core.stamp  ## run the baseline over 32 seeds and judge it against every claim
	$(BIN)/undercut run baseline --seeds 32 --workers 2

install: $(VENV)/full.stamp  ## install what reports, studies and pages need too, and the tests

test: $(VENV)/full.stamp  ## run the tests (the long ones are in `make slow`)
	$(BIN)/python -m pytest -n auto --dist worksteal

slow: $(VENV)/full.stamp  ## run the long tests and studies
	$(BIN)/python -m pytest -m slow

lint: $(VENV)/full.stamp  ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy

format: $(VENV)/full.stamp  ## write the code in the style that lint checks
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/full.stamp  ## measure everything beside plain Mesa, and write the table to .benchmarks/
	$(BIN)/python -m benchmarks

soak: $(VENV)/full.stamp  ## let twenty sessions play on one server for ten minutes
	$(BIN)/python -m benchmarks.soak

draws: $(VENV)/full.stamp  ## run ten thousand worlds drawn over all parameter ranges: their books must balance
	$(BIN)/python -m tests.draws

fuzz: $(VENV)/full.stamp  ## hand over some two hundred thousand damaged files, stores, links and wrong options
	UNDERCUT_FUZZ=$${UNDERCUT_FUZZ:-20000} $(BIN)/python -m pytest tests/fuzz -n auto --dist load

faults: $(VENV)/full.stamp  ## kill, interrupt and starve batches and studies at random moments: nothing may be lost
	$(BIN)/python -m tests.faults

mutants: $(VENV)/full.stamp  ## change the economics, an operator or a number at a time, and see whether a test notices
	$(BIN)/python -m tests.mutants

docs: $(VENV)/core.stamp  ## write what the documents take from code and tables
	$(BIN)/python docs/generate.py
	$(BIN)/python docs/transcript.py

ui: $(VENV)/full.stamp  ## watch the market in a browser
	$(BIN)/undercut ui

lock: $(UV)  ## resolve the dependencies of pyproject.toml anew
	$(LOCK) --upgrade --all-extras --output-file requirements.lock
	$(LOCK) --extra build --constraint requirements.lock --output-file requirements-core.lock

clean:  ## remove the environment and the caches, never the results in runs/
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
		"Undercut needs Python 3.11 or later: write make PYTHON=python3.12, or the like")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

# What a run needs: small enough to be ready in seconds.
$(VENV)/core.stamp: requirements-core.lock pyproject.toml | $(UV)
	$(INSTALL) --only-binary :all: -r requirements-core.lock
	$(PROJECT)
	@touch $@

# All of it. The core comes first: it holds what builds solara-assets, which is published as source only.
$(VENV)/full.stamp: requirements.lock $(VENV)/core.stamp
	$(UV) pip sync --python $(BIN)/python --require-hashes --compile-bytecode --no-build-isolation requirements.lock
	$(PROJECT)
	@touch $@
