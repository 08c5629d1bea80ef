# The four commands that README and CI call. On Debian as root nothing else need be installed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CHROMIUM := $(shell command -v chromium 2>/dev/null)
POSTGRES := $(firstword $(wildcard /usr/lib/postgresql/*/bin/initdb) $(shell command -v initdb 2>/dev/null))

.PHONY: run test lint bench docs clean chromium postgresql

run: $(VENV)/.installed
	$(BIN)/streamlit run app.py

test: $(VENV)/.installed-dev chromium postgresql
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks

docs: $(VENV)/.installed
	$(BIN)/python -m reports.reference

$(VENV)/.installed: requirements.txt
	$(call install,requirements.txt)
	touch $@

$(VENV)/.installed-dev: requirements.txt requirements-dev.txt
	$(call install,requirements-dev.txt)
	touch $(VENV)/.installed $@

# uv is quicker where it is there; pip does the same. Debian's own Python has its venv in a package apart.
define install
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv $(VENV) \
	|| { apt-get update -q && apt-get install -q -y python3-venv && $(PYTHON) -m venv --clear $(VENV); }
	if command -v uv >/dev/null 2>&1; then uv pip install --quiet --python $(BIN)/python -r $(1); \
	else $(BIN)/python -m pip install --quiet --disable-pip-version-check -r $(1); fi
endef

# The browser tests drive Debian's Chromium; the font lets Chinese be seen in their screenshots.
chromium:
ifeq ($(CHROMIUM),)
	apt-get update -q && apt-get install -q -y --no-install-recommends chromium fonts-wqy-microhei
endif

# The tests of the store start a private server of Debian's PostgreSQL.
postgresql:
ifeq ($(POSTGRES),)
	apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends postgresql
endif

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
