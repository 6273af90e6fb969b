# Two commands do all the set-up: `make demo` and `make test`. See README.md.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

.PHONY: demo test test-long lint audit clean

# Environment to serve: pinned with hashes; the editable install builds the tablet app.
$(VENV)/.run: requirements/run.txt pyproject.toml hatch_build.py
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/run.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.txt
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

test: $(VENV)/.dev $(VENV)/.built
	sh tests/system-packages.sh
	$(BIN)/python -m tests.everything

test-long: $(VENV)/.dev $(VENV)/.built
	sh tests/system-packages.sh
	$(BIN)/python -m tests.everything --long

lint: $(VENV)/.dev
	$(BIN)/python -m tests.everything --only lint

# Known holes in the packages, risky lines in ours; asks the advisory services over the network.
audit: $(VENV)/.dev
	$(BIN)/python -m tests.audit $(if $(ADVISORIES),--advisories '$(ADVISORIES)')

clean:
	rm -rf $(VENV) var
