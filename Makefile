# The commands to remember; `make` alone lists them.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

# One thread a process: tests run in two processes, and a sum's last bits depend on the number of threads.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest

.PHONY: help setup demo test check format e2e bench docs readme clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.ready-dev ## make .venv with everything that developing needs; a second call is instant

demo: $(VENV)/.ready-run ## the whole story on two cores within 15 minutes, ends with a report
	@bash runs/tiny.sh

test: $(VENV)/.ready-dev ## unit, contract and house tests
	@$(PYTEST) tests/unit tests/contract tests/golden tests/house -n 2 --dist loadfile --durations 5

check: $(VENV)/.ready-dev ## format, lint, types, layers, reference pages, house and unit tests
	@$(BIN)/ruff format --check --quiet . || { echo "format: run 'make format'" >&2; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-cache > $(VENV)/layers.log || { cat $(VENV)/layers.log >&2; exit 1; }
	@$(BIN)/python docs/make_reference.py --check
	@$(PYTEST) tests/house tests/unit -n 2 --dist loadfile
	@echo "check: passed"

format: $(VENV)/.ready-dev ## format the code and mend what ruff can mend
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --quiet --fix .

E2E ?= tests/e2e
e2e: $(VENV)/.ready-dev ## every recipe of recipes/tiny on a CPU, and the service; E2E="FILES" for some
	@$(PYTEST) $(E2E) -x

bench: $(VENV)/.ready-dev ## side-by-side measurements against named peers; prints ratios
	@for file in benchmarks/*.py; do if [ -e "$$file" ]; then echo "== $$file"; $(BIN)/python "$$file"; fi; done

docs: $(VENV)/.ready-dev ## make docs/reference/ from the catalogues
	@$(BIN)/python docs/make_reference.py

readme: ## write the demo's numbers into README.md (after `make demo`)
	@$(PYTHON) docs/readme_numbers.py out/tiny/report/report.json README.md

clean: ## remove what runs, tests and tools left behind; keeps .venv
	@rm -rf out dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

# .ready-run holds what running needs, .ready-dev adds the tools; both are made again when a version moves.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --progress-bar off -c constraints.txt
define install
	@log=$$(mktemp); trap 'rm -f "$$log"' EXIT; { $(1); } > "$$log" 2>&1 || { cat "$$log" >&2; exit 1; }
endef

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "setup: needs Python 3.11 or newer, got $$($(PYTHON) --version 2>&1); say make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "setup: python3-venv is missing; on Debian: apt install python3-venv" >&2; exit 1; }

$(VENV)/.ready-run: pyproject.toml constraints.txt | $(BIN)/python
	@echo "setup: installing torch, transformers and the rest into $(VENV); some minutes the first time"
	$(call install,$(PIP) torch==2.13.0 && $(PIP) -e '.[train$(,)report$(,)dicom$(,)deid$(,)volume$(,)curate$(,)endpoint$(,)metrics$(,)transfer$(,)serve$(,)pacs$(,)bundle]')
	@touch $@

$(VENV)/.ready-dev: $(VENV)/.ready-run
	@echo "setup: installing the tools for tests and checks"
	$(call install,$(PIP) -e '.[train$(,)report$(,)dicom$(,)deid$(,)volume$(,)curate$(,)endpoint$(,)metrics$(,)transfer$(,)serve$(,)pacs$(,)bundle$(,)ray$(,)dev]')
	@touch $@

, := ,
