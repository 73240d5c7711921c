# Every target makes the .venv it needs, quietly. PYTHON may name another interpreter (3.11 or later).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS := -n auto --maxprocesses 4
# files of tests at a time, each with its fixtures, in their order: the long ones are not the last
IN_PARALLEL := $(WORKERS) --dist loadfile --no-loadscope-reorder
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.PHONY: demo test cover faults test-lowest lint docs notebooks bench bench-all audit dist data example clean

demo: $(VENV)/.run  ## the main job on the embedded data; says where the map is
	$(BIN)/phusong demo -o maps/demo

test: $(VENV)/.dev  ## all tests and doctests
	$(BIN)/python -m pytest $(IN_PARALLEL)

cover: $(VENV)/.dev  ## the tests, with the branches of the package that none takes
	$(BIN)/python -m pytest $(IN_PARALLEL) --cov --cov-report=term-missing:skip-covered

faults: $(VENV)/.dev  ## kill, fill and starve runs at every write; takes minutes
	$(BIN)/python -m pytest -m faults tests/faults $(WORKERS)

test-lowest: ## the tests with the lowest versions that pyproject.toml allows
	@$(MAKE) --no-print-directory $(VENV)/.dev
	$(BIN)/uv venv -q --clear --python $(PYTHON) .venv-lowest
	$(BIN)/uv pip install -q --python .venv-lowest/bin/python --resolution lowest-direct -e . --group test
	.venv-lowest/bin/python -m pytest $(IN_PARALLEL)

lint: $(VENV)/.dev  ## ruff, mypy --strict, the floors of the house
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/.dev  ## the site of docs/ into build/docs; warnings are errors
	$(BIN)/sphinx-build -q -W --keep-going -b html docs build/docs

audit: $(VENV)/.dev  ## what the development environment holds, as a CycloneDX list, and what is known against it
	@mkdir -p build
	$(BIN)/uv tool run --from pip-audit pip-audit --path $$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))') \
	  --skip-editable -f cyclonedx-json -o build/sbom.json

notebooks: $(VENV)/.dev  ## execute the notebooks; copies with their outputs go to build/notebooks
	$(BIN)/python notebooks/execute.py

bench: $(VENV)/.dev  ## ours beside what people use, in one run; takes a quarter of an hour
	$(BIN)/python benchmarks/bench_overlay.py
	$(BIN)/python benchmarks/bench_union.py
	$(BIN)/python benchmarks/bench_zonal.py
	$(BIN)/python benchmarks/bench_points.py
	$(BIN)/python benchmarks/bench_reading.py
	$(BIN)/python benchmarks/bench_whatif.py

bench-all: bench  ## also the country, siting, radio, maps, websites, starting: all on one commit
	$(BIN)/python benchmarks/bench_country.py --masts 33334 --no-map
	$(BIN)/python benchmarks/bench_country.py --masts 33334 --no-map --population ../shared/data/population/vnm_ppp_2020_1km_Aggregated_UNadj.tif
	$(BIN)/python benchmarks/bench_scaling.py --skip slopes points
	$(BIN)/python benchmarks/bench_siting.py --country
	$(BIN)/python benchmarks/bench_radio.py
	$(BIN)/python benchmarks/bench_radio_country.py
	$(BIN)/python benchmarks/bench_splat.py
	$(BIN)/python benchmarks/bench_map.py
	$(BIN)/python benchmarks/bench_site.py
	$(BIN)/python benchmarks/bench_imports.py

dist: $(VENV)/.dev  ## the sdist and the wheel of the last commit: the same bytes wherever and whenever they are made
	rm -rf dist build/commit && mkdir -p build/commit
	git archive HEAD | tar -x -C build/commit
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(BIN)/python -m build --no-isolation -o dist build/commit
	cd dist && sha256sum *

data: $(VENV)/.dev  ## make the embedded data anew from its facts
	$(BIN)/python data/boundaries/make_embedded.py
	$(BIN)/python data/boundaries/places.py
	$(BIN)/python data/terrain/make_terrain.py

example: $(VENV)/.dev  ## make maps/example and maps/overview.png anew
	$(BIN)/python maps/make_example.py

clean:
	rm -rf $(VENV) .venv-lowest dist build maps/demo .coverage
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find coverage tests -name __pycache__ -type d -prune -exec rm -rf {} +

# The newest pip, because older ones do not know dependency groups.
$(VENV)/.pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "phusong needs Python 3.11 or later: make PYTHON=python3.12 …")'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --upgrade "pip>=25.1"
	@touch $@

$(VENV)/.run: pyproject.toml | $(VENV)/.pip
	@echo "installing phusong into $(VENV) (once) …"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -e .
	@touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/.pip
	@echo "installing phusong and its tests into $(VENV) (once) …"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -e . --group dev
	@touch $@ $(VENV)/.run
