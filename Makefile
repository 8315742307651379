# Everything a newcomer needs: `make demo` and `make test`. Only Python 3.11+ and make are assumed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check
CONSTRAINTS := -c constraints.txt
SOURCES := trace_agents adapters multiagent examples benchmarks tests
DEMO_ARGS ?=

.PHONY: demo test test-backends test-llm check bench clean

demo: $(VENV)/.demo
	$(BIN)/trace-agents demo $(DEMO_ARGS)

test: $(VENV)/.test
	$(BIN)/python -m pytest $(PYTEST_ARGS)

# installs Phoenix and MLflow, each into an environment of its own, and starts their servers
test-backends: $(VENV)/.test
	TEST_BACKENDS=1 $(BIN)/python -m pytest tests/adapters/test_otel_servers.py $(PYTEST_ARGS)

# downloads a small model (93 MB, pinned by hash) and serves it on the loopback
test-llm: $(VENV)/.test
	TEST_LLM=1 timeout 1200 $(BIN)/python -m pytest tests/llm -rs $(PYTEST_ARGS)

check: $(VENV)/.check
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/python -m pytest $(PYTEST_ARGS)

bench: $(VENV)/.test
	-$(BIN)/python benchmarks/core.py  # a limit that is missed must not hide the rest
	-$(BIN)/python benchmarks/spans.py
	-$(BIN)/python benchmarks/wrapping.py --quick
	-$(BIN)/python benchmarks/optimizers.py --quick
	-$(BIN)/python benchmarks/training.py --quick
	-$(BIN)/python benchmarks/sandbox.py
	$(BIN)/python benchmarks/household.py
	$(BIN)/python benchmarks/directives.py

clean:
	rm -rf $(VENV)

$(BIN)/python:
	@echo "Installing into $(VENV); this takes a minute."
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --upgrade $(CONSTRAINTS) pip

$(VENV)/.demo: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install --quiet $(CONSTRAINTS) --editable '.[autogen,langchain]'
	touch $@

$(VENV)/.test: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install --quiet $(CONSTRAINTS) --editable '.[all]' --group test
	touch $@ $(VENV)/.demo

$(VENV)/.check: $(VENV)/.test
	$(PIP) install --quiet $(CONSTRAINTS) --group check
	touch $@
