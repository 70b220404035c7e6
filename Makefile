# make demo    environment, install, then footage from the kitchen rollout; prints where the pictures are
# make test    environment, install, checks and tests
# make quick   the same with the fast tests alone: under two minutes on two cores
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV ?= .venv
BIN := $(VENV)/bin
OUT ?= out/kitchen
PYTEST_ARGS ?=
WORKERS ?= 2
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --durations 10 --durations-min 1

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

demo: $(VENV)/.kitchen ## render the kitchen rollout and generate footage from it
	$(BIN)/sim2real run scenes/kitchen.yaml -o $(OUT) --size 480x640 --stride 2 --overwrite

test: $(VENV)/.dev libraries lint types ## lint, check types, run all tests
	$(PYTEST) $(PYTEST_ARGS)

quick: $(VENV)/.dev lint ## lint, run the fast tests: under two minutes on two cores
	$(PYTEST) -m "not slow and not network" -o addopts=--strict-markers $(PYTEST_ARGS)

lint: $(VENV)/.dev ## ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev ## pyright
	$(BIN)/pyright --pythonpath $(BIN)/python

bench: $(VENV)/.dev ## measure speed, memory and quality; prints the tables of benchmarks/README.md
	for module in raster noise_speed noise_suite video_noise baselines conditions render sensors footage training_speed; do $(BIN)/python -m benchmarks.$$module; done

libraries: ## system libraries that some tests compare with (skipped, with a word, where they cannot be installed)
	@scripts/libraries

clean: ## remove the environment, outputs and caches
	rm -rf $(VENV) out dist build .pytest_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	@scripts/environment $(VENV)

$(VENV)/.%: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "installing sim2real[$*] into $(VENV); the first time this takes some minutes"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[$*]'
	@touch $@

.PHONY: help demo test quick lint types bench libraries clean
.PRECIOUS: $(VENV)/.%
