# Three commands matter: make demo, make test, make lint.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: demo test test-extras test-slow lint clean
.DELETE_ON_ERROR:
unexport PYTHONDONTWRITEBYTECODE

demo: $(VENV)/.installed
	$(BIN)/eureka run reacher-reach --config docs/demo.toml

test: $(VENV)/.dev
	$(BIN)/pytest -q -n 2 --dist loadfile --no-loadscope-reorder

# What `make test` leaves out: tasks of the extras.
test-extras: $(VENV)/.extras
	$(BIN)/pytest -q -n 2 --dist loadfile tests/envs tests/simulate $$(grep -rl 'needs the extra' tests --include='test_*.py')

test-slow: $(VENV)/.extras
	$(BIN)/pytest -q -m slow

# mypy sees the tree as it is installed: envs/ and reward_templates/ inside the package.
lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	rm -rf build/typed && mkdir -p build/typed
	cp -R eureka_loop build/typed/ && cp -R envs reward_templates build/typed/eureka_loop/
	cd build/typed && $(CURDIR)/$(BIN)/mypy --config-file ../../pyproject.toml --cache-dir ../../.mypy_cache

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	touch $@

# Not compiled: one module in nine is imported by the tests, and compiled then.
$(VENV)/.dev: $(VENV)/bin/python pyproject.toml
	$(BIN)/pip install --quiet --no-compile --disable-pip-version-check --editable '.[dev]'
	touch $@ $(VENV)/.installed

$(VENV)/.extras: $(VENV)/.dev
	$(BIN)/pip install --quiet --no-compile --disable-pip-version-check --editable '.[dev,robotics,metaworld]'
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info
