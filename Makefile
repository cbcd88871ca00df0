# All that `make demo`, `make test` and `make check` need beforehand is Python 3.11 or newer; the rest goes into .venv.

SHELL := /bin/sh
BIN := .venv/bin
INSTALLED := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help demo test check lab clean

help: ## say what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-6s %s\n", $$1, $$2}' Makefile

demo: $(INSTALLED) ## train on Shakespeare for two minutes; it is in runs/demo then
	@$(BIN)/unrolled train text tinyshakespeare --minutes 2 --out runs/demo --force

test: $(INSTALLED) ## run every test
	@$(BIN)/python -m pytest -n auto --dist loadfile --durations=10

check: $(INSTALLED) ## style, types and the house rules
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m ruff check .
	$(BIN)/python -m pyright
	$(BIN)/python -m pytest -q tests/test_house.py

lab: $(INSTALLED) ## the lectures' claims in their quick form, in under four minutes
	@$(BIN)/unrolled lab all --quick --force

clean: ## remove .venv, caches and builds; runs/ stays
	rm -rf .venv dist build .pytest_cache .ruff_cache .hypothesis
	find src tests -name __pycache__ -type d -exec rm -rf {} +

$(INSTALLED): pyproject.toml constraints.txt
	@$(BIN)/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  for python in python3 python3.13 python3.12 python3.11 python3.14 python; do \
	    if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$python; break; fi; \
	  done; \
	  if [ -z "$$found" ]; then \
	    echo "unrolled needs Python 3.11 or newer; seen here: $$(python3 --version 2>&1 || echo no python3)." >&2; exit 1; \
	  fi; \
	  echo "making .venv with $$($$found --version)"; \
	  $$found -m venv --clear .venv; \
	}
	@echo "installing into .venv (one to three minutes, once)…"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --retries 10 --timeout 120 \
	  -c constraints.txt -e '.[dev]'
	@touch $@
