# Each target sets up what it needs: a fresh clone, Python and make are enough.
PYTHONS := 3.11 3.12 3.13
PYTHON ?= $(firstword $(foreach version,$(PYTHONS),$(shell command -v python$(version))) python3)
BIN := .venv/bin
# The stages of dvc.yaml say `python`: here, the one of .venv.
export PATH := $(CURDIR)/$(BIN):$(PATH)
export DVC_NO_ANALYTICS := 1
export MLFLOW_DISABLE_TELEMETRY := true

.PHONY: repro test lint docs setup lock clean

# Results are in git, so that `dvc repro` finds them unchanged and runs nothing; --force makes them again.
repro: setup ## everything, from collecting the data to the paper's figures and tables
	$(BIN)/dvc repro --force
	@echo "figures and tables: paper_figures/README.md"

test: lint ## the whole test suite
	$(BIN)/python -m pytest -n 2 --dist worksteal

lint: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check

docs: setup ## the documentation, in site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

setup: .venv/done

# The lock is complete; --no-deps, because torch, which it leaves to the second line, has no hash.
.venv/done: pyproject.toml requirements.lock requirements-torch.lock
	@$(PYTHON) -c 'import sys; sys.exit("%d.%d" % sys.version_info[:2] not in "$(PYTHONS)".split() and "Python of one of these versions is needed: $(PYTHONS); name it by make PYTHON=/path/to/python")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --no-deps --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --requirement requirements-torch.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

# Versions in the lock stay unless pyproject.toml rules them out; `make lock UPGRADE=--upgrade` takes the newest.
lock: cache/uv/bin/uv ## requirements.lock from pyproject.toml, with hashes
	$< pip compile --quiet --config-file .ci/lock.toml --universal --python-version 3.11 --generate-hashes \
		--extra dashboard --extra dev --extra docs --extra notebooks --extra privacy --extra serve \
		--no-annotate --no-header --constraints requirements-torch.lock --no-emit-package torch $(UPGRADE) \
		--output-file requirements.lock pyproject.toml

cache/uv/bin/uv:
	$(PYTHON) -m venv cache/uv
	cache/uv/bin/python -m pip install --quiet uv

clean: ## forget what can be made again; results stay
	rm -rf cache .pytest_cache .ruff_cache
