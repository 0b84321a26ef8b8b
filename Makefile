# Every target sets up .venv by itself; all that a machine needs is make and Python 3.11 or later.

PYTHON ?= $(shell for candidate in python3.11 python3.12 python3.13 python3.14 python3 python; do \
	if $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo $$candidate; break; fi; done)
BIN := .venv/bin
STAMP := .venv/.installed
SEED ?= 7

.DEFAULT_GOAL := help
.PHONY: help run test bench lint sweep mutants clean

help:  ## what can be made
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' $(MAKEFILE_LIST)

$(STAMP): pyproject.toml
	@test -n "$(PYTHON)" || { echo "make: no Python 3.11 or later found: install one, or say make PYTHON=/path/to/python" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

run: $(STAMP)  ## the lecture's race: lost updates without the lock, none with it, and a look at the log
	@echo "== lock_nolock: two processes, one counter, no lock (seed $(SEED))"
	-@$(BIN)/trapline run lock_nolock --config quad --seed $(SEED)
	@echo "== lock: the same under a futex mutex"
	@$(BIN)/trapline run lock --config quad --seed $(SEED) --log .venv/lock.jsonl
	@echo "== who ran where, from its log"
	@$(BIN)/trapline log lanes .venv/lock.jsonl --by cpu --limit 30

test: $(STAMP)  ## all tests: units, laws, programs, contracts, style
	$(BIN)/python -m pytest

bench: $(STAMP)  ## ops, system calls and messages a second
	$(BIN)/python -m benchmarks

lint: $(STAMP)  ## ruff, mypy and the import contracts
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

sweep: $(STAMP)  ## every claim at full size: thousands of seeds, one line each
	$(BIN)/python -m tests.sweeps

mutants: $(STAMP)  ## break the kernel on purpose, and see that the tests notice
	$(BIN)/python -m tests.mutants

clean:  ## remove what the other targets made
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist
