# Two commands do everything on a machine with Python 3.11 or later, pip and make:
#   make demo    install, index this repository's own documentation and examples, ask it a question
#   make test    install, lint, type-check, run the tests that need no server and no model
# and two more do the rest:
#   make test-all    all tests; what is not installed, pulled or running is skipped and named
#   make docs        build the documentation as a site, into site/

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
DEMO   := .rag
PYTEST = $(BIN)/python -m pytest --numprocesses=auto --dist=worksteal
QUESTION ?= What happens if indexing is interrupted?

# With bytecode that is kept, the processes that tests start by the hundred start sooner.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test test-all test-long lint format docs clean

$(VENV)/base: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "pilotfish needs Python 3.11 or later: make PYTHON=/path/to/python3.11 ...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV) (a minute or two, once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/dev: $(VENV)/base
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: $(VENV)/base
	@echo
	@echo '$$ rag index README.md docs examples'
	@$(BIN)/rag --kb $(DEMO) index README.md docs examples
	@echo
	@echo '$$ rag ask "$(QUESTION)"'
	@$(BIN)/rag --kb $(DEMO) ask "$(QUESTION)"

test: lint
	@$(PYTEST) -m 'not server and not model and not process'

test-all: lint
	@$(PYTEST)

test-long: lint
	@PILOTFISH_LONG=1 $(BIN)/python -m pytest --timeout=3600

lint: $(VENV)/dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy

format: $(VENV)/dev
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format --quiet .

docs: $(VENV)/base
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	@$(BIN)/mkdocs build --quiet

clean:
	@rm -rf $(VENV) $(DEMO) site .mypy_cache .ruff_cache .pytest_cache .hypothesis
