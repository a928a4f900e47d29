# `make help` lists the targets. Each installs what it needs into the tree or a cache folder and says so.
SHELL := /bin/bash
.ONESHELL:
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
CONTROL_PLANE := node --import ./test/support/typescript.mjs test/support/control-plane/cli.ts
.PHONY: help install build binaries check test demo bench clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 16

node_modules/.installed: package.json package-lock.json
	@echo "==> installing npm packages (about 20 s the first time)"
	npm ci --no-fund --no-audit --loglevel=error
	touch $@

install: node_modules/.installed ## Install the npm packages

build: install ## Compile src into dist
	@echo "==> compiling"
	npm run --silent build

check: build ## Build, typecheck, lint, import rules, format, tests
	@echo "==> typecheck, lint, import rules, format"
	npm run --silent typecheck
	npm run --silent lint
	npm run --silent lint:deps
	npm run --silent format:check
	$(MAKE) --no-print-directory test

binaries: install ## Build etcd, kube-apiserver and kubectl into a cache folder, once
	@echo "==> etcd, kube-apiserver, kubectl (some minutes the first time; KUBEBUILDER_ASSETS names others)"
	$(CONTROL_PLANE) install

test: build ## Run all tests, those on real API servers included
	@echo "==> etcd and kube-apiserver (built once into a cache folder: some minutes)"
	$(CONTROL_PLANE) install || echo "==> going on without them"
	echo "==> tests"
	npm run --silent test

demo: build ## Watch the operator at work between two clusters; SCRIPT=name, ONCE=1, REAL=1 for real API servers
	@exec node $(if $(REAL),--import ./test/support/typescript.mjs test/support/real-demo.ts,dist/cli/main.js demo) $(if $(SCRIPT),--script $(SCRIPT)) $(if $(ONCE),--once)

clean: ## Remove what the build made
	rm -rf dist coverage node_modules
