# Everything one can do here. Each target installs what it needs first.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CHECKOV := .venv-checkov
ARGS ?=

.PHONY: help run test faults fuzz test-fast test-image image drill check format docs bench scaling lock clean

help: ## Show the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

$(VENV)/installed: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing what requirements.txt locks; this takes a minute the first time"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

run: $(VENV)/installed ## Run the whole system here until Ctrl-C (more: make run ARGS="--source simulated")
	@$(BIN)/cryptowatch local run $(ARGS)

test: $(VENV)/installed ## Run all tests
	@$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist worksteal $(ARGS)

fuzz: $(VENV)/installed ## Try a million broken rules on the rule language (minutes; more: FUZZ_TIMES=1000)
	@FUZZ_TIMES=$${FUZZ_TIMES:-100} $(BIN)/python -m pytest tests/unit/test_rules_fuzz.py $(ARGS)

faults: $(VENV)/installed ## Ten thousand sequences of faults, and ten minutes against a limit; takes half an hour
	@FAULT_SEQUENCES=10000 LIMIT_SECONDS=600 $(BIN)/python -m pytest -rP --show-capture=stdout \
		tests/integration/test_fault_campaign.py tests/integration/test_shared_limit.py

test-fast: $(VENV)/installed ## Run the tests that need no server
	@$(BIN)/python -m pytest tests/unit tests/templates $(ARGS)

# By itself, since checkov brings a hundred packages that nothing else here needs.
$(CHECKOV)/installed: requirements-checkov.txt
	@test -x $(CHECKOV)/bin/python || $(PYTHON) -m venv $(CHECKOV)
	@echo "installing checkov; this takes half a minute the first time"
	@$(CHECKOV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-checkov.txt
	@touch $@

test-image: $(VENV)/installed ## Make the workers' image of a fresh Debian and boot it (Linux, root; minutes)
	@$(BIN)/python -m pytest tests/ami/image/built_image.py $(ARGS)

image: $(VENV)/installed ## Make the workers' image in AWS (REGION=..., ARCHITECTURE=amd64 or arm64)
	@ami/scripts/make-image.sh $(BIN)/python

check: $(VENV)/installed $(CHECKOV)/installed ## Lint, types, import contracts; templates by cfn-lint, checkov, cfn-guard and tests
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/cfn-lint cloudformation/*.yaml
	@$(CHECKOV)/bin/checkov
	@$(BIN)/python -m pytest tests/templates

format: $(VENV)/installed ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

docs: $(VENV)/installed ## Write the pages that are made from code: docs/indicators.md, docs/accuracy.md
	@$(BIN)/python -m cryptowatch.indicators.reference >docs/indicators.md
	@$(BIN)/python -m bench.references

bench: $(VENV)/installed ## Measure: indicators beside other libraries, a preview, and from a candle to its email
	@$(BIN)/python -m bench.indicators
	@$(BIN)/python -m bench.preview
	@$(BIN)/python -m bench.latency
	@$(BIN)/python -m bench.store

scaling: $(VENV)/installed ## Simulate how the fleet scales: docs/scaling.md, and the costs in docs/operating.md
	@$(BIN)/python -m bench.scaling

drill: $(VENV)/installed ## Take away 320 instances and workers under load, and flood the fleet (half an hour)
	@$(BIN)/python -m bench.drill $(ARGS)
	@$(BIN)/python -m bench.flood

lock: ## Lock the newest releases that pyproject.toml allows (needs uv)
	uv pip compile --universal --python-version 3.11 --all-extras --no-header pyproject.toml -o requirements.txt
	echo checkov | uv pip compile --universal --python-version 3.11 --no-header --no-annotate - -o requirements-checkov.txt

clean: ## Remove the local stack's data and all caches (refuses while a stack runs)
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m cryptowatch.local.clean; else rm -rf .local; fi
	@find bench cryptowatch lambdas tests workers -name __pycache__ -prune -exec rm -rf {} +
	@rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
