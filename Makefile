# `make demo` shows the lab at work, `make test` proves it. Both make what they need first: .venv, an engine, the images.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test check images engine environment clients browser lock format clean

help: ## lists these commands
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 22

demo: images ## runs scripted models through the real lab and shows what each did, with the proof
	@.venv/bin/afagent demo

test: check images clients browser ## everything that `check` does, then all tests, those on Docker included
	@.venv/bin/python -m pytest -n 2 --dist loadfile

check: environment ## format, lint and types
	@.venv/bin/ruff format --check --quiet . || { echo "check: run 'make format'" >&2; exit 1; }
	@.venv/bin/ruff check --quiet .
	@scripts/typecheck.sh

images: engine ## builds the lab's images, as far as anything changed
	@.venv/bin/afagent build

engine: environment ## finds a Docker engine, or makes one
	@scripts/engine.sh

clients: ## finds the clients and packers that the tests use, or installs them
	@scripts/clients.sh

browser: ## finds Chromium for the tests of the log viewer, or installs it
	@scripts/browser.sh

environment: ## makes or renews .venv from requirements.lock
	@scripts/environment.sh

format: environment ## formats the code, and mends what the linter can mend
	@.venv/bin/ruff check --quiet --fix --exit-zero .
	@.venv/bin/ruff format --quiet .

lock: environment ## makes requirements.lock anew from pyproject.toml
	@.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --extra dev --generate-hashes --no-emit-index-url \
		--no-emit-find-links --no-header --upgrade pyproject.toml --output-file requirements.lock
	@scripts/environment.sh

clean: ## removes what make made in this folder: the environment, builds, caches; logs, images and the engine stay
	@rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -path ./.git -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
