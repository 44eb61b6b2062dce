# Everything that people and CI run here has one name. `make` lists them.
.DEFAULT_GOAL := help
SHELL  := /bin/bash
PYTHON ?= python3
VENV   := .venv
RUN    := $(VENV)/bin/
LAB    ?= 22
FUZZ   ?= 300
CODE   := lambdapack images tests docs

# The lab's images stand in for the official ones; a local image is never pulled.
export LAMBDAPACK_IMAGE ?= lambdapack-lab/nodejs:{node}-{arch}
export LAMBDAPACK_BUILD_IMAGE ?= lambdapack-lab/nodejs:{node}-{arch}-build
# Where the lab keeps Node.js and npm for hosts that have none.
export PATH := $(PATH):$(CURDIR)/.lab/host/bin

$(VENV)/.stamp: pyproject.toml
	@images/lab/packages.sh python3-venv
	$(PYTHON) -m venv $(VENV)
	$(RUN)pip install --quiet --upgrade pip
	$(RUN)pip install --quiet --editable . --group dev
	@touch $@

.PHONY: venv lab demo quick test test-full fuzz check docs recording strings runtimes site bench clean help
venv: $(VENV)/.stamp  ## Make the virtual environment: .venv/bin/lambdapack runs

lab: venv  ## Container engine, emulator and stand-in images (LAB='20 24' for more)
	images/lab/engine.sh
	$(RUN)python -m images.lab $(addprefix --node ,$(sort 22 $(LAB)))

demo: venv $(if $(filter docker podman,$(ENGINE)),lab)  ## Build a real function for both CPUs and invoke it; needs nothing (ENGINE=docker installs an engine)
	@ENGINE=$(ENGINE) images/demo.sh

quick: venv  ## The pure tests, under a minute: no engine, registry, compiler, browser, network
	$(RUN)pytest -q tests/unit

test: venv  ## All tests but the long ones, from nothing
	@images/lab/packages.sh gcc g++ libc6-dev zip unzip chromium bubblewrap
	images/lab/engine.sh --podman
	$(RUN)python -m images.lab --host-node --node 22
	$(RUN)python -m tests.cloud.servers
	$(RUN)python -m tests.peers.tools
	$(RUN)pytest

test-full: test  ## The long tests too
	@images/lab/packages.sh clang lld g++-aarch64-linux-gnu
	$(RUN)python -m images.lab --node 20 --node 22 --node 24
	$(RUN)pytest --full

fuzz: venv  ## Hurt real binaries, archives, manifests, scripts and logs, and read them (FUZZ=3600 for an hour; 300 seconds)
	@images/lab/packages.sh gcc
	$(RUN)python -m tests.fuzz --seconds $(FUZZ)

check: venv  ## ruff, mypy strict, house tests
	$(RUN)ruff check $(CODE)
	$(RUN)ruff format --check $(CODE)
	$(RUN)mypy
	$(RUN)pytest -q tests/house

docs: venv  ## Write the generated blocks of the pages
	$(RUN)pytest -q tests/house/test_readme.py tests/unit/aws/test_aws_policy.py --update-golden

recording: lab  ## Draw README's picture from real runs
	$(RUN)python docs/recording.py

strings: venv  ## Print every text that the program can show, to read aloud
	@$(RUN)python -m tests.house.strings

runtimes: venv  ## Check the facts of Lambda's runtimes and write lambdapack/runtimes/data from them
	$(RUN)python -m images.runtimes

site: venv  ## The documentation as pages in .site/
	NO_MKDOCS_2_WARNING=1 DISABLE_MKDOCS_2_WARNING=true $(RUN)mkdocs build --quiet --config-file .mkdocs.yml
	@echo "open .site/index.html"

bench: lab  ## Ratios against plain tools, measured in one run
	@images/lab/packages.sh zip chromium
	@for each in tests/bench/bench_*.py; do $(RUN)python $$each || exit; done

clean:  ## Remove what the targets above made here (not the engine or its images)
	rm -rf $(VENV) .lab .site .mypy_cache .ruff_cache .pytest_cache .hypothesis examples/*/.lambdapack

help:
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
