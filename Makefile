# Two commands: `make demo` shows it, `make test` proves it. Both set up what they need.

PYTHON ?= python3
BIN := .venv/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input

LOCK := $(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-header --python-version 3.11 pyproject.toml

.PHONY: demo test check audit lock packages neo4j clean
.DELETE_ON_ERROR:

demo: .venv/runtime.stamp
	@exec $(BIN)/cmdb demo

test: packages .venv/development.stamp .cache/neo4j/complete
	$(BIN)/pytest -n 2

check: test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/hadolint Dockerfile

# Asks a service on the network for known vulnerabilities, so it is no part of `check`.
audit: .venv/development.stamp
	$(BIN)/pip-audit --strict --require-hashes --disable-pip -r requirements/development.txt

# uv's own lock file would write the registry's host into the repository; requirement files do not.
lock: export UV_SYSTEM_CERTS = 1
lock: .venv/development.stamp
	$(LOCK) --group build -o requirements/runtime.txt
	$(LOCK) --group development -c requirements/runtime.txt -o requirements/development.txt

packages:
	@PYTHON=$(PYTHON) tools/debian-packages test

neo4j: .cache/neo4j/complete

clean:
	rm -rf .venv .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis dist

# A stamp and not the folder: a failed `python3 -m venv` leaves a half-made folder behind.
.venv/made.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed, $(PYTHON) is older" >&2; exit 1; }
	@PYTHON=$(PYTHON) tools/debian-packages demo
	$(PYTHON) -m venv .venv
	@touch $@

.venv/runtime.stamp: .venv/made.stamp requirements/runtime.txt pyproject.toml
	$(PIP_INSTALL) --require-hashes --no-deps -r requirements/runtime.txt
	$(PIP_INSTALL) --no-build-isolation --no-deps --editable .
	@touch $@

.venv/development.stamp: .venv/made.stamp requirements/development.txt pyproject.toml
	$(PIP_INSTALL) --require-hashes --no-deps -r requirements/development.txt
	$(PIP_INSTALL) --no-build-isolation --no-deps --editable .
	@touch .venv/runtime.stamp $@ # which it contains

.cache/neo4j/complete: tools/neo4j/pom.xml | packages
	rm -rf .cache/neo4j
	mvn --batch-mode --quiet -Dstyle.color=never --no-transfer-progress --strict-checksums --file tools/neo4j/pom.xml \
	    dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$(CURDIR)/.cache/neo4j/lib" </dev/null
	@touch $@
