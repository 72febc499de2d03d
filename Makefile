# Every target sets up what it needs: Python 3.11 or newer, git and make are enough to begin with.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Each of hundreds of processes would compile all of its modules anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test faults fuzz lint types check vsix benchmarks clean

help: ## what can be made
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(VENV)/.base ## debug a real bug in a small project, with the built-in agents alone
	@$(BIN)/bug-lsp demo

test: $(VENV)/.agents ## run all tests, real agents and processes included
	$(BIN)/python -m clients.vscode test
	$(BIN)/pytest -n auto --dist worksteal

faults: $(VENV)/.agents ## try every fault many times, and write docs/reliability.md (an hour)
	$(BIN)/pytest -n auto --dist worksteal --faults full --faults-page

lint: $(VENV)/.dev ## check style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m clients.stylua
	$(BIN)/python -m clients.vscode lint

types: $(VENV)/.dev ## check the types
	$(BIN)/mypy
	$(BIN)/python -m clients.vscode types

check: lint types test ## all that CI checks

vsix: $(VENV)/.dev ## build the VS Code extension, server included
	@$(BIN)/python -m clients.vscode vsix

benchmarks: $(VENV)/.dev ## measure, against limits and peers in the same run, and write docs/performance.md
	$(BIN)/python -m benchmarks --write

fuzz: $(VENV)/.dev ## 100,000 messages to a server, and a minute of texts guided by coverage
	$(BIN)/python -m tests.fuzz.jsonrpc --messages 100000
	$(BIN)/python -m pip install -q --group fuzz
	$(BIN)/python -m tests.fuzz.texts -max_total_time=60

clean: ## remove what was installed and cached here
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis dist

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "bug-lsp needs Python 3.11 or newer; this is $$($(PYTHON) -V). Say: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --upgrade 'pip>=25.1'
	@touch $@

$(VENV)/.base: $(VENV)/.python pyproject.toml
	$(BIN)/python -m pip install -q -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.base
	$(BIN)/python -m pip install -q -e '.[codex,claude]' --group dev
	@touch $@

# The agents themselves, an Emacs and a VS Code lie in the user's cache, where other checkouts find
# them too.
$(VENV)/.agents: $(VENV)/.dev tests/agent_clis/package.json tests/agent_clis/install.py \
  tests/editors/install.py tests/vscode/package.json tests/vscode/install.py clients/node.py
	$(BIN)/python -m tests.agent_clis.install
	$(BIN)/python -m tests.editors.install
	$(BIN)/python -m tests.vscode.install
	@touch $@
