# Plain `make` prints this help. Every target makes its own environment in .venv first.
SHELL := /bin/sh
VENV ?= .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
READY := $(VENV)/.ready
SERVERS ?= .venv-servers
SERVERS_READY := $(SERVERS)/.ready
export RECPIPE_SERVERS ?= $(abspath $(SERVERS))
# Empty: each of hundreds of processes would compile all of recpipe anew.
export PYTHONDONTWRITEBYTECODE :=
DEMO ?= demo-recording
# More than processors: many tests wait, for leases and for servers.
JOBS ?= 4

.DEFAULT_GOAL := help
.PHONY: help setup servers demo test check lint types contracts format bench bench-flow soak test-big test-drift wheel docs golden clean

help: ## print this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

setup: $(READY) ## make the environment in .venv

$(READY): pyproject.toml constraints.txt .ci/environment
	@sh .ci/environment $(VENV)
	@touch $@

servers: $(SERVERS_READY) ## install the S3 servers for the tests of storage in .venv-servers

$(SERVERS_READY): .ci/servers .ci/servers-constraints.txt | $(READY)
	@sh .ci/servers $(VENV) $(SERVERS)
	@touch $@

demo: $(READY) ## make a recording, inspect, plan, merge and verify it
	@$(BIN)/recpipe demo $(DEMO)

test: $(READY) ## run every test
	@$(PY) -m pytest -n $(JOBS) --dist worksteal

soak: $(READY) $(SERVERS_READY) ## many users through faults, and jobs killed at every request (over an hour)
	@$(PY) -m pytest -n 2 --dist worksteal -m soak tests
	@$(PY) -m benchmarks.near
	@$(PY) -m tests.kill --jobs 2

check: lint types contracts ## lint, types, import contracts

lint: $(READY)
	@echo "lint:" && $(BIN)/ruff format --check . && $(BIN)/ruff check .

types: $(READY)
	@echo "types:" && $(BIN)/mypy

contracts: $(READY)
	@echo "contracts:" && $(BIN)/lint-imports

format: $(READY) ## rewrite the code in the house format
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

bench: $(READY) $(SERVERS_READY) ## measure the speed table against ffmpeg and boto3 (about 30 minutes)
	@$(PY) -m benchmarks

bench-flow: $(READY) $(SERVERS_READY) ## let 10 GB flow from store to store, watch memory and disk (about 8 minutes)
	@$(PY) -m benchmarks.flow

test-big: $(READY) ## merge more than 4 GB (sparse slices; about a minute)
	@$(PY) -m benchmarks.big

test-drift: $(READY) ## measure 3 h of clocks that are 208 ppm off (about 3 minutes)
	@$(PY) -m benchmarks.drift

docs: $(READY) ## write the generated documents (schema, exit codes, command help)
	@$(PY) -m tests.documents --write

golden: $(READY) ## rewrite the golden text files; read the diff before you commit it
	@$(PY) -m pytest -q tests --golden-update

wheel: $(READY) ## build the wheel and run it in an empty environment
	@sh .ci/wheel $(VENV)

clean: ## remove the environments, caches and demo output
	@rm -rf $(VENV) $(SERVERS) build dist $(DEMO) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
