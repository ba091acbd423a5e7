# `make guide [BACKEND=jax|torch|tensorflow]` trains the guide's convnet on real digits; `make test` runs the tests.
PYTHON ?= python3
BACKEND ?= jax
VENV ?= .venv
MARK ?= not slow
WORKERS ?= 2
BIN = $(VENV)/bin

.PHONY: guide test doctest lint types clean

guide: $(VENV)/.guide-$(BACKEND)
	TRICERA_BACKEND=$(BACKEND) TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python examples/guide.py

test: $(VENV)/.test
	TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python -m pytest -n $(WORKERS) -m "$(MARK)"

doctest: $(VENV)/.test
	TRICERA_BACKEND=jax TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python -m pytest --doctest-modules tricera --ignore=tricera/backends --ignore=tricera/compat

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.test
	$(BIN)/mypy tricera

$(VENV)/bin/python:
	$(PYTHON) -c "import sys; assert sys.version_info >= (3, 11), 'Tricera needs Python 3.11 or newer; set PYTHON=...'"
	$(PYTHON) -m venv $(VENV)

$(VENV)/.guide-$(BACKEND): pyproject.toml constraints/test.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet -c constraints/test.txt -e ".[$(BACKEND)]"
	touch $@

$(VENV)/.test: pyproject.toml constraints/test.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet -c constraints/test.txt -e ".[all,test]"
	touch $@

clean:
	rm -rf $(VENV)
