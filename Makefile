# make quickstart   install, train a spec on the embedded digits, end with the report's path
# make test         install, run the tests
# make check        formatting, lint, types, layering, tests: what CI runs
# make docs         the JSON Schema, docs/reference, docs/diffs.md, specs/README.md: made anew from what they are about
# make bench        speed, all sides interleaved in one run, in half an hour; installs Lightning, Keras and TensorFlow too
# make soak         hundreds of runs that are killed and taken up again, a quarter of an hour; `make soak KILLS=1000` more
# make fuzz         100,000 mutated and generated specs; `make fuzz SEED=7 CASES=5000` others (check runs 2,000)
# make audit        known holes in the installed packages; asks a server, so it is no part of `make check`

VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin

.PHONY: quickstart test lint check docs bench fuzz soak audit clean

quickstart: $(VENV)/.train
	$(BIN)/specforge train specs/quickstart.yaml

test: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses 2 --quiet    # threads of two processes would wait for each other

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test

docs: $(VENV)/.dev
	$(BIN)/specforge schema --output-file schema/specforge-1.json
	$(BIN)/python -m specforge.reference docs/reference
	$(BIN)/python -m specforge.reproduction specs
	$(BIN)/python -m tests.diff.gallery

bench: $(VENV)/.bench
	$(BIN)/python -m benchmarks

SEED ?= 0
CASES ?= 100000

fuzz: $(VENV)/.dev
	$(BIN)/python -m tests.fuzz --seed $(SEED) --cases $(CASES)

KILLS ?= 200

soak: $(VENV)/.dev
	SPECFORGE_SOAK_KILLS=$(KILLS) SPECFORGE_SOAK_SEED=$(SEED) $(BIN)/pytest -m soak -rP tests/soak

audit: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check pip-audit
	$(BIN)/pip-audit --skip-editable

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "specforge needs Python 3.11 or newer; name one with: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.train: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[train]'
	@touch $@

$(VENV)/.dev: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $(VENV)/.train $@

$(VENV)/.bench: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	@touch $(VENV)/.train $@
