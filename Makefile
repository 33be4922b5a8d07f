# make demo   set up, then record, train, benchmark and compare, with a page to look at, into demo/: a few minutes
# make test   set up, then run the tests
# make check  format, lint and types
# make docs   build the documentation into docs/_build/html
# make bench  print and write the throughput table
# Set-up happens by itself, in .venv; PYTHON=/path/to/python3.11 chooses the interpreter it starts from.

SHELL := /bin/bash
BIN := .venv/bin
READY := .venv/.ready

.PHONY: help demo test check docs bench opengl browser

help:
	@sed -n 's/^# //p' Makefile

demo: $(READY) opengl
	@bash scripts/demo.sh

test: $(READY) opengl browser
	@# Hundreds of processes are started: without stored bytecode each would compile the package again.
	PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal

check: $(READY)
	@failed=0; \
	$(BIN)/ruff format --check . || failed=1; \
	$(BIN)/ruff check . || failed=1; \
	$(BIN)/python scripts/check_types.py || failed=1; \
	exit $$failed

docs: $(READY)
	$(BIN)/python -m sphinx -W -q -b html docs docs/_build/html

bench: $(READY) opengl
	$(BIN)/python -m ambidex.benchmarks.throughput

$(READY): pyproject.toml constraints.txt scripts/setup.sh
	@bash scripts/setup.sh

opengl: $(READY)
	@bash scripts/opengl.sh

browser: $(READY)
	@bash scripts/browser.sh
