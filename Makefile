# make up: set up and run with demo traffic. make test: set up and pass every test.
SHELL := bash
# The first that really runs: a shim of pyenv's stands for versions that are not there.
ifndef PYTHON
PYTHON := $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' >/dev/null 2>&1 && echo $$p && break; done)
endif
BIN := .venv/bin
STAMP := .venv/.installed
SOURCES := privacy ingestion live_tail dagster_project streamlit_app tta_monitor tests

.PHONY: up test bench bench-full check setup test-setup lock clean

up: setup
	./tta.sh monitor up --demo

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "error: Python 3.11 to 3.13 is needed; install it and run make again" >&2; exit 1; }
	@echo "setting up .venv with $(PYTHON) (once; about a minute)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { rm -rf .venv; \
		echo "error: $(PYTHON) cannot make a virtual environment; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv 2>/dev/null || true
	@# Compiled once here: where Python may not write bytecode every process would compile for seconds.
	@if [ -x $(BIN)/uv ]; then $(BIN)/uv pip sync --compile-bytecode --python $(BIN)/python requirements.lock && \
		$(BIN)/uv pip install --python $(BIN)/python --quiet --no-deps -e . uv; \
	else $(BIN)/python -m pip install -r requirements.lock && $(BIN)/python -m pip install --no-deps -e .; fi
	@$(BIN)/python -m compileall -q $(filter-out tests,$(SOURCES)) || true
	@touch $(STAMP)

# System packages that some tests need; without the right to install them those tests are skipped
# and say why.
test-setup: setup
	@bash tests/install-system-packages.sh

test: test-setup
	@# One more than there are cores: who runs a whole home mostly waits for it.
	$(BIN)/python -m pytest -n $$(( $$(getconf _NPROCESSORS_ONLN) < 5 ? $$(getconf _NPROCESSORS_ONLN) + 1 : 6 )) --dist loadfile --no-loadscope-reorder --durations 15 \
		--cov --cov-report=term:skip-covered

# Minutes long; writes bench-results/bench.json and bench.md.
bench: setup
	TTA_MONITOR_TEST_KILLS=50 $(BIN)/python -m pytest tests/e2e/test_kill.py
	$(BIN)/python -m tests.bench

# Hours long; begins again where it stood with FUZZ="--seed 11 --from NUMBER".
bench-full: bench
	$(BIN)/python -m tests.mutation --count 60 --minutes 20
	TTA_MONITOR_TEST_EXAMPLES=60 $(BIN)/python -m pytest --timeout 0 tests/ingestion/meaning/test_both_speeds.py
	$(BIN)/python -m tests.fuzz 1000000 $(FUZZ)

check: setup
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/pyright
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/vulture
	PYTHONPATH=. $(BIN)/sqlfluff lint --disable-progress-bar dbt
	@# What these two write goes into a folder of their own: the checkout is only read.
	@scratch=$$(mktemp -d) && trap 'rm -rf "$$scratch"' EXIT && \
	$(BIN)/dbt parse --project-dir dbt --profiles-dir dbt --target-path "$$scratch" --log-path "$$scratch" \
		--vars "$$($(BIN)/python -m ingestion.meaning)" --show-all-deprecations --warn-error-options '{"error": ["Deprecations"]}' && \
	TTA_MONITOR_HOME="$$scratch" DAGSTER_DISABLE_TELEMETRY=1 \
		$(BIN)/dagster definitions validate -m dagster_project.definitions

# Hashes and no index address: the lock works with whatever index the machine has.
lock: setup
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header pyproject.toml --group dev -o requirements.lock

clean:
	rm -rf .venv var .pytest_cache .ruff_cache
