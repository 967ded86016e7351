# Two commands: `make table` and `make test`. Both install into .venv once.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: table test
table: .venv/.installed
	$(BIN)/costlab table googlenet

test: .venv/.installed-test
	$(BIN)/python -m pytest -q

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/.installed: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/python -m pip install -q -c constraints.txt torch
	$(BIN)/python -m pip install -q -c constraints.txt -e .
	touch $@

.venv/.installed-test: .venv/.installed
	$(BIN)/python -m pip install -q -c constraints.txt -e ".[test]"
	touch $@
