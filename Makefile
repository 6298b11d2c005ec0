# What a user, a developer and CI type. Needs Python 3.11 or later, and make.
#
#   make demo                      the main job on the CPU; says where the report lies
#   make test                      lint, types, layers and tests
#   make coverage                  the tests again, with how much of the source they run
#   make demo PYTHON=python3.12    another interpreter
#   make demo PIP_ARGS="..."       more arguments for pip, such as where to find a CPU build of torch

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
PIP_ARGS ?=
SEEDS ?= 2
WORKERS ?= 2

BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt $(PIP_ARGS)

# One thread a process: seeds and tests run side by side, and threads of their own would compete.
export OMP_NUM_THREADS := 1

.PHONY: help demo test lint coverage benchmark clean

help:
	@sed -n 's/^#   //p' Makefile

demo: .venv/installed
	$(BIN)/conceptspace run quick --seeds $(SEEDS)

# pytest comes last, so that its own summary line is the last line.
test: lint
	$(BIN)/python -m pytest -n $(WORKERS)

# Apart from the tests, which take up to 1.7 times as long under it.
coverage: .venv/installed-dev
	$(BIN)/python -m pytest -n $(WORKERS) --cov --cov-report=term:skip-covered

lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports

benchmark: .venv/installed-dev
	for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python "$$script" || exit 1; done

clean:
	rm -rf .venv build dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage*
	find src tests benchmarks examples -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

# What is left of a failed attempt is removed, or the next one would take it for an environment.
.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "conceptspace needs Python 3.11 or later, this is " + sys.version.split()[0] + ": try make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

.venv/installed: pyproject.toml constraints.txt | .venv/bin/python
	$(PIP) -e .
	@touch $@

.venv/installed-dev: pyproject.toml constraints.txt | .venv/bin/python
	$(PIP) -e '.[dev]'
	@touch $@ .venv/installed
