# Two commands do everything on a machine with Python 3.11+ and make:
#   make demo   the main job on embedded data: tables here, pictures in demo_output/
#   make test   style, layering, types, tests, doctests, documentation
# Others: test-all (also the slow tests), test-oldest (tests with the lower bounds of all
# dependencies; PYTHON=python3.11 where python3 is newer), bench, docs, clean.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
OLDEST := .venv-oldest
export MPLBACKEND := Agg
# Two test processes with two threads each on two cores wait for one another most of the time.
ONE_THREAD := OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
# Files in the order of tests/conftest.py, not those with most tests first.
IN_TWO := -n 2 --dist loadfile --no-loadscope-reorder
QUICK_TESTS := $(IN_TWO) -m "not slow" tests hyperspy_clusterquant docs/is_it_real.md docs/phases.md --doctest-modules

.PHONY: demo test test-all test-oldest bench docs clean

demo: $(READY)
	$(BIN)/python examples/demo.py

test: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	# side by side: each has one process
	$(BIN)/mypy & types=$$!; \
	$(BIN)/sphinx-build -n -W -q -b html -D plot_gallery=0 docs docs/_build/quick; docs=$$?; \
	wait $$types && exit $$docs
	$(ONE_THREAD) $(BIN)/python -m pytest $(QUICK_TESTS)

test-all: $(READY)
	$(ONE_THREAD) $(BIN)/python -m pytest $(IN_TWO) tests hyperspy_clusterquant docs/user_guide.md docs/is_it_real.md docs/phases.md --doctest-modules

test-oldest: $(OLDEST)/.ready
	$(ONE_THREAD) $(OLDEST)/bin/python -m pytest $(QUICK_TESTS)

bench: $(READY)
	$(BIN)/python benchmarks/compare.py
	$(BIN)/python benchmarks/scaling.py

docs: $(READY)
	$(ONE_THREAD) $(BIN)/sphinx-build -n -W -b html docs docs/_build/html

$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	# most of what is installed is never imported: what is, Python compiles then
	$(BIN)/python -m pip install --quiet --no-compile --editable '.[dev]'
	touch $@

$(OLDEST)/.ready: pyproject.toml tools/lower_bounds.py
	$(PYTHON) -m venv --clear $(OLDEST)
	$(OLDEST)/bin/python tools/lower_bounds.py > $(OLDEST)/constraints.txt
	$(OLDEST)/bin/python -m pip install --quiet --upgrade pip
	$(OLDEST)/bin/python -m pip install --quiet --constraint $(OLDEST)/constraints.txt --editable '.[tests]'
	touch $@

clean:
	rm -rf $(VENV) $(OLDEST) demo_output docs/_build docs/_generated docs/api docs/gallery .pytest_cache .ruff_cache .import_linter_cache .mypy_cache
