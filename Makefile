# Set-up and checks. Needed beforehand: Python 3.11 or newer with its venv module, and make.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
# Tests wait for processes of their own, so there is one worker more than cores.
WORKERS ?= $(shell "$(PYTHON)" -c 'import os; print(1 + (os.cpu_count() or 1))')
PYTEST_ARGS ?=
SECONDS ?=
BIN := .venv/bin
READY := .venv/ready
SOURCES := chaise_cli sync tests $(wildcard benchmarks)
# The report of the plugin is off: it looks through every measured file twice, and tests/conftest.py does so anyway.
COVERED := --cov=chaise_cli.domain --cov=chaise_cli.ledger --cov=sync --cov-branch --cov-report=
# Compiled code is kept, whatever the environment says: every command that a test starts would be compiled anew.
unexport PYTHONDONTWRITEBYTECODE
PINS := uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate --quiet

.PHONY: help demo test lint format bench soak pins clean
.DELETE_ON_ERROR:

help:
	@echo "make demo    play one hire from post to review between two throwaway homes"
	@echo "make test    all tests, import contracts and coverage floors"
	@echo "make lint    ruff, mypy and the import contracts"
	@echo "make format  let ruff rewrite what it can"
	@echo "make bench   figures, with hardware and seed"
	@echo "make soak    the tests again, with far more examples; SECONDS=n: n seconds of fresh seeds of the simulator instead"
	@echo "make pins    rewrite requirements/*.txt (needs uv)"

# Everything in .venv is pinned and checked by hash; the project itself is linked, so edits count at once. The pins are
# complete, so pip has nothing to resolve: asked to, pip 23 takes the newest of a package that another wants with an extra.
$(READY): pyproject.toml requirements/run.txt requirements/dev.txt
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Chaise needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "setting up .venv with $$("$(PYTHON)" --version)"
	@"$(PYTHON)" -m venv --clear .venv || { \
		echo "Python's venv module is missing; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --requirement requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m pip check --quiet --disable-pip-version-check
	@$(BIN)/python -m compileall -q chaise_cli sync
	@touch $@

demo: $(READY)
	@$(BIN)/python tests/guide/demo.py

test: $(READY)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(COVERED) $(PYTEST_ARGS)

lint: $(READY)
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/mypy $(SOURCES)
	@$(BIN)/lint-imports --no-logo

format: $(READY)
	@$(BIN)/ruff check --fix $(SOURCES)
	@$(BIN)/ruff format $(SOURCES)

bench: $(READY)
	@$(BIN)/python -m benchmarks

soak: $(READY)
	@$(if $(SECONDS),$(BIN)/python -m tests.simulator --seconds $(SECONDS),\
		$(BIN)/python -m pytest -n $(WORKERS) -m "" --hypothesis-profile=soak $(PYTEST_ARGS))

pins:
	$(PINS) --output-file requirements/run.txt
	$(PINS) --group dev --constraint requirements/run.txt --output-file requirements/dev.txt
	echo beancount | $(subst pyproject.toml,-,$(PINS)) --output-file requirements/beancount.txt
	printf '%s\n' khal radicale recurring-ical-events vobject | $(subst pyproject.toml,-,$(PINS)) --output-file requirements/calendars.txt

clean:
	rm -rf .venv .foreign build dist *.egg-info .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
