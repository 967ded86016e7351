# `make table` and `make test` install into .venv once; `make reports` builds reports/; `make bench` adds the peers it measures;
# `make gpu` measures on a GPU.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: table test test-quick test-slow lint bench reports gpu docs docs-update
table: .venv/.installed
	$(BIN)/costlab table googlenet

# `make test`: lint, types, and all tests but the slow ones, side by side; `make test-slow`: those. A
# process a core and a thread a process. Each process takes neighbouring tests, which share what they
# trace, and takes over tests of another one at the end. Bytecode is kept even where the environment
# says not to: without it pytest rewrites and compiles all of costlab again in each process.
PYTEST := PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n logical --dist worksteal

test: .venv/.installed-test
	$(MAKE) --no-print-directory -j2 lint test-quick

test-quick: .venv/.installed-test
	$(PYTEST) -m "not slow"

test-slow: .venv/.installed-test
	$(PYTEST) -m slow

lint: .venv/.installed-test
	$(BIN)/ruff check -q .
	$(BIN)/ruff format --check -q .
	$(BIN)/basedpyright --pythonpath $(BIN)/python --level error

# the reports are rendered from what they name on `meta`, so that every machine makes the same ones
reports: .venv/.installed-test
	for r in reports/*.toml; do $(BIN)/costlab report --config $$r --device meta -o $${r%.toml}.pdf || exit 1; done
	$(BIN)/costlab chart savings --measured reports/measurements --on h100 -o reports/savings.svg
	$(BIN)/costlab diagram googlenet --device meta --style paper -o reports/googlenet.svg

# the site in build/site; warnings are errors
docs: .venv/.installed-test
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

# writes into the pages of docs/ what their commands and code print now, and the pictures they draw
docs-update: .venv/.installed-test
	$(BIN)/python docs/_tools/reference.py
	OMP_NUM_THREADS=1 $(BIN)/python docs/_tools/page_blocks.py

# on a machine with a GPU, torch and perhaps no network: the CUDA tests, then what is not measured
# yet, the most useful first, until the minutes are over. PYTHON is the one that holds torch.
MINUTES ?= 10
gpu:
	PYTHONPATH=. $(PYTHON) reports/measure.py --device cuda --tests --minutes $(MINUTES)

bench: .venv/.installed-bench
	$(BIN)/python benchmarks/bench.py

# a .venv whose Python is gone or too old is made again
SUPPORTED := import sys; sys.exit(sys.version_info < (3, 11))
ifneq ($(wildcard .venv),)
ifneq ($(shell .venv/bin/python -c "$(SUPPORTED)" >/dev/null 2>&1 && echo yes),yes)
$(info .venv has no Python of 3.11 or newer and is made again)
$(shell rm -rf .venv)
endif
endif

.venv/bin/python:
	@$(PYTHON) -c "$(SUPPORTED)" || { echo "costlab needs Python 3.11 or newer, and $(PYTHON) is `$(PYTHON) -V 2>&1`. Name another: make PYTHON=python3.12" >&2; exit 2; }
	$(PYTHON) -m venv .venv

# torch first, because its CUDA build is several gigabytes: `make CUDA=1` takes it, TORCH names another
TORCH ?= torch
.venv/.installed: pyproject.toml constraints.txt | .venv/bin/python
	@$(BIN)/python -c "import torch" 2>/dev/null || [ "$(CUDA)" = 1 ] \
	  || ! $(BIN)/python -m pip install -q --dry-run --report - -c constraints.txt $(TORCH) | grep -q '"name": "nvidia-' \
	  || { echo "torch for this Python is the CUDA build: several gigabytes. Take it with: make CUDA=1" >&2; \
	       echo "or the CPU build with: make TORCH='torch --index-url https://download.pytorch.org/whl/cpu'" >&2; exit 2; }
	$(BIN)/python -m pip install -q -c constraints.txt $(TORCH)
	$(BIN)/python -m pip install -q -c constraints.txt -e .
	touch $@

.venv/.installed-test: .venv/.installed
	$(BIN)/python -m pip install -q -c constraints.txt -e ".[test]"
	touch $@

.venv/.installed-bench: .venv/.installed
	$(BIN)/python -m pip install -q -c constraints.txt -e ".[bench]"
	touch $@
