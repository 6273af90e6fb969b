# Two commands do all the set-up: `make demo` and `make test`. See README.md.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

.PHONY: demo test test-long lint audit clean system-packages

# The tablet app is built while the test tools are fetched; two cores are what CI has.
MAKEFLAGS += --jobs=2

# What the service needs, pinned with hashes.
$(VENV)/.packages: requirements/run.txt
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/run.txt
	touch $@

# Environment to serve: the editable install builds the tablet app.
$(VENV)/.run: $(VENV)/.packages pyproject.toml hatch_build.py
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

# Half of the test tools' modules are never imported: those that are, are compiled then.
$(VENV)/.dev: $(VENV)/.packages requirements/dev.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-compile --require-hashes -r requirements/dev.txt
	touch $@

# The tablet app and the translations, again when their sources change without a new install.
BUILT_FROM := $(shell find mobile_api/tablet/src mobile_api/tablet/public outreach/locale -type f ! -name '*.mo')
$(VENV)/.built: $(VENV)/.run $(BUILT_FROM)
	$(BIN)/python hatch_build.py
	touch $@

# The demo county: its own data folder, its own keys, never real people.
demo: $(VENV)/.built
	$(BIN)/python -m outreach.demo.environment
	$(BIN)/python manage.py demo $(ARGS)

system-packages:
	sh tests/system-packages.sh

test: system-packages $(VENV)/.dev $(VENV)/.built
	$(BIN)/python -m tests.everything

test-long: system-packages $(VENV)/.dev $(VENV)/.built
	$(BIN)/python -m tests.everything --long

lint: $(VENV)/.dev $(VENV)/.run
	$(BIN)/python -m tests.everything --only lint

# Known holes in the packages, risky lines in ours; asks the advisory services over the network.
audit: $(VENV)/.dev
	$(BIN)/python -m tests.audit $(if $(ADVISORIES),--advisories '$(ADVISORIES)')

clean:
	rm -rf $(VENV) var
