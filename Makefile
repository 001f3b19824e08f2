# `make app` opens the explorer; `make test` runs everything, on two cores (WORKERS=4: on four).
# The README has the plain pip form of each.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2

# Without bytecode every server, child process and test module would be compiled each time.
export PYTHONDONTWRITEBYTECODE :=

# A stamp names the content of the requirements it was made from, so an install runs once, and again
# only when a pin changes. TORCH_INDEX=address takes torch and torchvision from that index first.
digest = $(shell cat $(1) | cksum | tr ' ' '-')
APP_STAMP := $(VENV)/.installed-app-$(call digest,requirements.txt)
DEV_STAMP := $(VENV)/.installed-dev-$(call digest,requirements.txt requirements-dev.txt)
TORCH_PAIR := $(shell grep -E '^(torch|torchvision)==' requirements.txt)

.PHONY: app install install-dev test test-fast lint bench clean

app: $(APP_STAMP)
	$(BIN)/streamlit run app.py

install: $(APP_STAMP)

install-dev: $(DEV_STAMP)

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one with PYTHON=…")'
	$(PYTHON) -m venv $(VENV)

$(APP_STAMP): | $(BIN)/python
	$(if $(TORCH_INDEX),$(BIN)/python -m pip install --index-url $(TORCH_INDEX) $(TORCH_PAIR))
	$(BIN)/python -m pip install -r requirements.txt
	rm -f $(VENV)/.installed-app-*
	touch $@

$(DEV_STAMP): $(APP_STAMP)
	$(BIN)/python -m pip install -r requirements-dev.txt
	rm -f $(VENV)/.installed-dev-*
	touch $@

test: $(DEV_STAMP)
	$(BIN)/python -m pytest -n $(WORKERS)

test-fast: $(DEV_STAMP)
	HYPOTHESIS_PROFILE=quick $(BIN)/python -m pytest -n $(WORKERS) -m "not slow and not browser"

lint: $(DEV_STAMP)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: $(DEV_STAMP)
	set -e; for script in benchmarks/[a-z]*.py; do echo "== $$script"; $(BIN)/python -m "benchmarks.$$(basename "$$script" .py)"; done

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
