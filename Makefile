# Two commands: `make square` and `make test`. Both do all the set-up they need, in .venv, from requirements.lock.
# uv makes the environment; where there is none it is put into a private one, .uv, with any python3 that has venv.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := bash
export PYTHONPATH := $(CURDIR)
# Every process needs the bytecode of all that it imports: it is kept, even where Python is told to write none
export PYTHONPYCACHEPREFIX := $(CURDIR)/.bytecode
unexport PYTHONDONTWRITEBYTECODE
PYTHON := .venv/bin/python

help: ## say what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

square: .venv/ready ## from nothing to the results and the figure of x²
	$(PYTHON) experiments/square.py
	$(PYTHON) figures/square.py

# Each has an experiment that writes results/ and experiments/summaries/, and a figure that reads them.
STUDIES := square square_remedies square_floors sine interval waveform identity clusters second_order \
	map_square map_interval map_sine map_identity map_waveform map_clusters frameworks spirals decay \
	product parity spectral_bias kan arithmetic modular

# Figures that are drawn from the results of another figure's experiment, or from summaries
FURTHER := hero map_square_times map_square_seeds map_square_range map_interval_width map_sine_snake \
	square_causes square_sources square_scaling interval_remedies waveform_advice identity_remedies \
	identity_time clusters_advice clusters_borders claims
DRAWN := $(STUDIES) $(FURTHER) speed

figures: .venv/ready ## every experiment and every figure; QUICK=--quick for a look at few seeds, into results/quick
	for study in $(STUDIES); do \
		$(PYTHON) experiments/$$study.py $(QUICK) && $(PYTHON) figures/$$study.py $(QUICK) || exit 1; \
	done
	for figure in $(FURTHER); do $(PYTHON) figures/$$figure.py $(QUICK) || exit 1; done
	$(if $(QUICK),,$(PYTHON) figures/claims_page.py)
	$(if $(QUICK),,$(PYTHON) figures/gallery.py)

drawings: .venv/ready ## draw every figure anew from results/, as PDF, SVG and PNG; what has no results is named and left out
	for script in $(DRAWN); do \
		$(PYTHON) figures/$$script.py > /dev/null 2> .drawing-errors && echo "figures/$$script" || \
			{ echo "not drawn: $$script, $$(tail -n 1 .drawing-errors)"; }; \
	done; rm -f .drawing-errors

bench: .venv/ready ## time P1 to P5 against the C limit, naive JAX (and PyTorch: TORCH=python), and how long one waits
	$(PYTHON) experiments/speed.py $(if $(TORCH),--torch $(TORCH))
	$(PYTHON) experiments/waiting.py
	$(PYTHON) figures/speed.py

accelerator: .venv/ready ## check the promises and time P1 to P7 on this machine's GPU or TPU, in at most eight minutes
	$(PYTHON) experiments/accelerator.py

cluster-demo: .venv/ready ## a Dask scheduler and two workers on this machine, an experiment on them, its status and verification
	$(PYTHON) experiments/cluster_demo.py

test: .venv/ready ## the quick tests, lint, format and type checks
	$(MAKE) -j 2 lint quick

quick: .venv/ready ## the quick tests alone
	$(PYTHON) -m pytest -q -n 2 --dist worksteal -m "not slow"

test-all: .venv/ready lint ## every test, the slow ones too
	$(PYTHON) -m pytest -q -n 2 --dist worksteal

test-oldest: .venv-oldest/ready ## the quick tests with the oldest dependencies that pyproject.toml allows
	.venv-oldest/bin/python -m pytest -q -n 2 --dist worksteal -m "not slow"

parity: .venv/ready ## train x² in other frameworks themselves, installed in .parity, and here: do the errors differ? PARITY="keras fann"
	$(PYTHON) tests/parity/compare.py $(PARITY)

published: .venv/ready ## train the published numbers of tests/published anew and write docs/published.md; PUBLISHED="nmu flux"
	$(PYTHON) tests/published/book.py $(PUBLISHED)

docs: .venv/ready ## build the documentation into docs/_build/html; every warning is an error
	$(PYTHON) -m sphinx -q -W --keep-going -b html docs docs/_build/html

mutants: .venv/ready ## change the code in small ways, one at a time: which changes do the quick tests notice?
	$(PYTHON) tests/mutants.py $(MUTANTS)

lint: .venv/ready ## style, format, types, and at most one conditional expression in a statement
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	$(PYTHON) tests/density.py --check

lock: .uv/command ## pin the newest dependencies
	$$(cat .uv/command) pip compile pyproject.toml --group dev --group docs --universal --python-version 3.12 --generate-hashes \
		--no-emit-index-url --no-annotate --no-header --upgrade -o requirements.lock

.uv/command:
	@mkdir -p .uv; rm -rf .uv/env; \
	if uv --version >/dev/null 2>&1; then echo uv > $@; exit; fi; \
	for python in python3 python3.14 python3.13 python3.12 /usr/bin/python3 python; do \
		if $$python -m venv .uv/env >/dev/null 2>&1 && .uv/env/bin/python -m pip install -q uv; \
		then echo .uv/env/bin/uv > $@; exit; fi; \
	done; \
	echo "approx needs uv, or any python3 with venv and pip to fetch it: neither works here" >&2; exit 1

.venv/ready: requirements.lock .uv/command
	@$$(cat .uv/command) --version >/dev/null 2>&1 || { rm -f .uv/command; $(MAKE) -s .uv/command; }
	@$$(cat .uv/command) venv -q --clear --python 3.12 .venv || $$(cat .uv/command) venv -q --clear --python ">=3.12" .venv || \
		{ echo "approx needs Python 3.12 or newer: none was found, and none could be fetched" >&2; exit 1; }
	@echo "Installing the pinned dependencies into .venv ..."
	@$$(cat .uv/command) pip install -q --python .venv/bin/python --require-hashes -r requirements.lock
	@touch $@

.venv-oldest/ready: pyproject.toml .uv/command
	$$(cat .uv/command) venv -q --clear --python 3.12 .venv-oldest
	$$(cat .uv/command) pip install -q --python .venv-oldest/bin/python --resolution lowest-direct -r pyproject.toml --group dev
	@touch $@

clean: ## remove the environments (not the results)
	rm -rf .venv .venv-oldest .uv .bytecode .programs

.PHONY: docs help square figures drawings bench accelerator cluster-demo parity test quick test-all test-oldest mutants lint lock clean
