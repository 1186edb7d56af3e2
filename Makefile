# Every target creates .venv and installs the pinned packages first; `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

DOCS_STAMP := $(VENV)/.installed-docs

AUDIT := .venv-audit
PEERS := .venv-peers
PEERS_STAMP := $(PEERS)/.installed
CACHES := .venv-caches
CACHES_STAMP := $(CACHES)/.installed

.DEFAULT_GOAL := help
.PHONY: help schema rules calibrate fuzz debt gallery docs setup test lint bench bench-service report accept compare accept-times mutate accuracy explain-accuracy thorough explain-cost accuracy-truth overhead scale soak soak-ragpool audit peers caches clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## create .venv and install both distributions and all tools, pinned

$(STAMP): pyproject.toml packages/ragpool/pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "memcurve needs Python 3.11 or newer; name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv --clear $(VENV) || { echo "python cannot make a virtual environment; on Debian: apt-get install python3-venv"; exit 2; }
	@echo "installing the pinned packages into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade -c constraints.txt pip
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e . -e "packages/ragpool[otel,postgresql]" --group dev
	@touch $@

test: $(STAMP) lint ## run the linters and the whole test suite, thresholds included
	@command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || echo "PostgreSQL is not installed, so its store is not tested: apt-get install postgresql"
	$(BIN)/python -m pytest -n 2 --dist loadfile --durations 30 --durations-min 5

lint: $(STAMP) ## ruff, mypy, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP) ## run every scenario in every design, gate the curves, write reports/; ARGS="-k executions"
	$(BIN)/memcurve run $(ARGS)

bench-service: $(STAMP) ## run each route of ragpool's service, streams, leaving callers, rotating keys; ARGS="-k pooled"
	$(BIN)/memcurve run bench/service --out reports/service $(ARGS)

report: $(STAMP) ## write the reports of the last run again
	$(BIN)/memcurve report $(ARGS)

accept: $(STAMP) ## make the curves of now the thresholds; REASON="why", ARGS="-k rag_client"
	@test -n "$(REASON)" || { echo 'say why: make accept REASON="the cache holds 20 entries now"'; exit 2; }
	$(BIN)/memcurve accept --reason "$(REASON)" $(ARGS)

TIMES := reports/baselines/time
compare: $(STAMP) ## times against the stored run, curves of the last run against the accepted ones
	@mkdir -p .benchmarks
	$(BIN)/python -m pytest bench/test_time.py -q --benchmark-json=.benchmarks/now.json
	@test -f $(TIMES)/accepted.json || echo "no stored times; keep those of now with: make accept-times"
	@test ! -f $(TIMES)/accepted.json || $(BIN)/pytest-benchmark compare --between=mean,min --group-by=func $(TIMES)/accepted.json .benchmarks/now.json
	@test -d reports/recordings || $(BIN)/memcurve run -q $(ARGS)
	$(BIN)/memcurve compare $(ARGS)

accept-times: $(STAMP) ## keep the times of now for make compare
	@mkdir -p $(TIMES)
	$(BIN)/python -m pytest bench/test_time.py -q --benchmark-json=$(TIMES)/accepted.json

mutate: $(STAMP) ## inject faults into ragpool; the gate must name each; ARGS="--clean 50"
	$(BIN)/python -m bench.proof.mutation.run $(ARGS)

schema: $(STAMP) ## write docs/schema and tests/api.txt from the code
	$(BIN)/python -m tests.test_schema
	$(BIN)/python -m tests.test_public_api

fuzz: $(STAMP) ## spoil stored files in every way; each is taken, or one line; ARGS="--examples 2000"
	$(BIN)/python -m bench.proof.fuzz.run $(ARGS)

calibrate: $(STAMP) ## simulate leaks under noise: how often are floors too low, and clean curves convicted?
	$(BIN)/python -m bench.proof.calibrate.run $(ARGS)

debt: $(STAMP) ## forecast what waits for the collector, and run it; ARGS="--python 3.12 young"
	$(BIN)/python -m bench.proof.debt.run $(ARGS)

rules: $(STAMP) ## write the numbers and pictures of docs/verdicts.md from the code
	$(BIN)/python -m tests.memcurve.draw_rules

gallery: $(STAMP) ## copy the pictures and the summary of the last run to reports/gallery
	mkdir -p reports/gallery
	cp reports/*.png reports/gallery/
	sed 's|$(CURDIR)/||g' reports/summary.md > reports/gallery/summary.md

docs: $(STAMP) $(DOCS_STAMP) ## build the documentation as a site, warnings are errors
	$(BIN)/zensical build --strict --clean

$(DOCS_STAMP): constraints.txt $(STAMP)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --group docs
	@touch $@

accuracy: $(STAMP) ## run the labelled suite through memcurve check; ARGS="--repeat 20 --load 2 --quiet"
	$(BIN)/python -m bench.proof.accuracy.run $(ARGS)

explain-cost: $(STAMP) ## CPU of each explaining pass against the same calls run bare; ARGS="executions/naive"
	$(BIN)/python -m bench.proof.explain_accuracy.cost $(ARGS)

accuracy-truth: $(STAMP) ## recount the suite's true bytes a call with a preloaded malloc counter
	$(BIN)/python -m bench.proof.accuracy.truth $(ARGS)

explain-accuracy: $(STAMP) ## explain labelled leaks, and say what is told wrongly; ARGS="name --jobs 1"
	$(BIN)/python -m bench.proof.explain_accuracy.run $(ARGS)

thorough: $(STAMP) ## run the tests that take minutes: all advice followed, executors, shards, init, services
	MEMCURVE_THOROUGH=1 $(BIN)/python -m pytest -q -n 2 tests/test_following_advice.py tests/memcurve/test_executors.py tests/memcurve/test_shards.py tests/memcurve/test_init.py tests/bench/test_soak_ragpool.py tests/ragpool/test_gunicorn.py tests/ragpool/test_load.py tests/ragpool/test_outside.py tests/ragpool/test_restarts.py

overhead: $(STAMP) ## measure what measuring costs, compared with other tools; writes docs/overhead.md
	$(BIN)/python -m bench.proof.overhead.run --write $(ARGS)

scale: $(STAMP) ## run from 100 calls to a million, and say what memory and time that takes; ARGS=--write
	$(BIN)/python -m bench.proof.scale.run $(ARGS)

soak: $(STAMP) ## check clean and leaking calls under load, on each interpreter; ARGS="--write"
	$(BIN)/python -m bench.proof.soak.run $(ARGS)

peers: $(STAMP) $(PEERS_STAMP) ## run other leak detectors on the same suite; ARGS=--write for docs
	$(BIN)/python -m bench.proof.peers.run --python $(PEERS)/bin/python $(ARGS)

caches: $(STAMP) $(CACHES_STAMP) ## put langchain's and LiteLLM's caches to ragpool's tests of loops and evictions; ARGS=--write
	$(BIN)/python -m bench.proof.caches.run --python $(CACHES)/bin/python $(ARGS)

soak-ragpool: $(STAMP) ## ragpool on ten threads with injected faults: ends, memory, latency; ARGS="5000 --write"
	$(BIN)/python -m bench.proof.soak_ragpool.run $(ARGS)

audit: $(AUDIT)/.installed ## ask the public advisories about each pinned package; needs the network
	$(AUDIT)/bin/pip-audit --strict --disable-pip --no-deps --desc -r constraints.txt $(ARGS)

$(AUDIT)/.installed: Makefile
	@test -x $(AUDIT)/bin/pip || $(PYTHON) -m venv --clear $(AUDIT)
	@$(AUDIT)/bin/python -m pip install --quiet --disable-pip-version-check pip-audit==2.10.1
	@touch $@

$(PEERS_STAMP): bench/proof/peers/constraints.txt
	@test -x $(PEERS)/bin/pip || $(PYTHON) -m venv --clear $(PEERS)
	@echo "installing the other tools into $(PEERS) …"
	@$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check -r bench/proof/peers/constraints.txt
	@touch $@

$(CACHES_STAMP): bench/proof/caches/constraints.txt
	@test -x $(CACHES)/bin/pip || $(PYTHON) -m venv --clear $(CACHES)
	@echo "installing LiteLLM into $(CACHES) …"
	@$(CACHES)/bin/python -m pip install --quiet --disable-pip-version-check -r bench/proof/caches/constraints.txt
	@touch $@

clean: ## remove the virtual environment and everything generated
	rm -rf $(VENV) $(PEERS) $(CACHES) $(AUDIT) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .benchmarks .hypothesis .cache dist build
