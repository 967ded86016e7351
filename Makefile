# `make table` and `make test` install into .venv once; `make bench` adds the peers it measures.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: table test bench
table: .venv/.installed
	$(BIN)/costlab table googlenet

test: .venv/.installed-test
	$(BIN)/python -m pytest -q

bench: .venv/.installed-bench
	$(BIN)/python benchmarks/bench.py

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/.installed: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/python -m pip install -q -c constraints.txt torch
	$(BIN)/python -m pip install -q -c constraints.txt -e .
	touch $@

.venv/.installed-test: .venv/.installed
	$(BIN)/python -m pip install -q -c constraints.txt -e ".[test]"
	touch $@

.venv/.installed-bench: .venv/.installed
	$(BIN)/python -m pip install -q -c constraints.txt -e ".[bench]"
	touch $@
