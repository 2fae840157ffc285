# Everything runs in .venv, which any target makes when it is missing or when the lock changed.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
# Nothing of the caller's shell but what local/isolate.py names. -S: in the caller's locale Python
# may not be able to read what .venv says of a path with accents.
ISOLATE := -I -S local/isolate.py
ALONE := $(BIN)/python $(ISOLATE)
RUN := $(ALONE) $(BIN)/python -m
JUDGE := .local/judge
TOOLS := .local/tools
JUDGE_LOCK := tests/simulator/judge/requirements.txt

.PHONY: help demo up run authorize migrate check test test-slow test-browser test-system test-versions test-first-run env lint format reference mutations docs licences audit sbom wheel bench judge lock clean

help: ## lists the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## */\1	/p' Makefile | while IFS='	' read -r target text; do \
		printf '  make %-12s %s\n' "$$target" "$$text"; done
	@echo
	@echo '  make run DAG=constant_contact_lists [DATE=2026-01-31] [CONF="{\"full\": true}"]'
	@echo '  PYTHON=python3.12 picks the interpreter of .venv; PORT=8090 that of make up'

demo: $(VENV)/.ready ## the nightly job end to end on local parts, checked
	@$(RUN) local.demo

up: $(VENV)/.ready ## Airflow with its UI; Ctrl-C stops it (PORT=8080, EXECUTOR=celery)
	@exec $(RUN) local.up $(if $(PORT),--port '$(PORT)') $(if $(EXECUTOR),--executor '$(EXECUTOR)')

# values reach Python through the environment: no shell reads the quotes inside CONF
run: export RUN_DAG = $(DAG)
run: export RUN_DATE = $(DATE)
run: export RUN_CONF = $(value CONF)
run: $(VENV)/.ready ## one DAG in the foreground: DAG=… [DATE=…] [CONF='{}']
	@exec $(RUN) local.run

authorize: $(VENV)/.ready ## the first authorization of a real account, in your browser
	@exec $(RUN) local.authorize

migrate: $(VENV)/.ready ## the schema, on AIRFLOW_CONN_CRM_DEFAULT (and _NAME) or the local CRM
	@$(RUN) local.migrate

check: $(VENV)/.ready ## what the jobs rely on, and whether it holds (ARGS='--file check.md')
	@$(RUN) local.check $(ARGS)

# Each process has its databases, its simulator and half a gigabyte of Airflow; how many there are
# is said in tests/spread.py.
PARALLEL := --numprocesses auto --maxprocesses 8

test: $(VENV)/.ready $(JUDGE)/.ready ## all tests, on all cores (TEST_POSTGRES_URL=…, ARGS='-k lists')
	@$(RUN) pytest $(PARALLEL) $(ARGS)

test-slow: $(VENV)/.ready ## every fault, kills at every step, histories
	@$(RUN) pytest $(PARALLEL) -m slow $(ARGS)

test-browser: $(VENV)/.ready ## the pages in Chromium, on a stack as of make up (SCREENSHOTS=1: new pictures)
	@$(RUN) pytest -m browser $(ARGS)

test-system: $(VENV)/.ready ## two Celery workers, one is killed: three minutes; needs redis-server
	@$(RUN) pytest -m system $(ARGS)

test-versions: $(VENV)/.ready ## the wheel, then tests/airflow, on each Airflow; asks the package index
	@$(RUN) pytest -m versions $(ARGS)

# with the interpreter of .venv's own making: what is tried needs none of ours
test-first-run: ## first commands on machines of many kinds: five minutes (ARGS='umask': that case)
	@python=$$($(FIND_PYTHON)) && "$$python" $(ISOLATE) "$$python" -m tests.first_run $(ARGS)

# the same commands as in .pre-commit-config.yaml
lint: $(VENV)/.ready ## style, types, layers, SQL
	@$(ALONE) $(BIN)/ruff check
	@$(ALONE) $(BIN)/ruff format --check
	@$(ALONE) $(BIN)/mypy
	@$(ALONE) $(BIN)/lint-imports
	@$(ALONE) $(BIN)/sqlfluff lint --disable-progress-bar include/sql

format: $(VENV)/.ready ## puts code and SQL into shape
	@$(ALONE) $(BIN)/ruff check --fix
	@$(ALONE) $(BIN)/ruff format
	@$(ALONE) $(BIN)/sqlfluff fix --disable-progress-bar include/sql

# needs no .venv: where containers run there may be none
env: ## .env for docker-compose.yaml, with new keys (DEMO=1: for its profile demo)
	@python=$$($(FIND_PYTHON)) && "$$python" $(ISOLATE) "$$python" -m local.env_file $(if $(DEMO),--demo)

reference: $(VENV)/.ready ## docs/reference, from the code
	@$(RUN) local.reference $(ARGS)

mutations: $(VENV)/.ready ## docs/reference/mutations.md, from a run against each: minutes
	@$(ALONE) env MUTATIONS=1 $(BIN)/python -m pytest -p no:randomly -m slow tests/simulator/test_assumptions.py -k differs

docs: $(TOOLS)/.ready ## .local/site, the docs as pages with search; fails at a link that leads nowhere
	@$(ALONE) env NO_MKDOCS_2_WARNING=1 $(TOOLS)/bin/python -m mkdocs build --clean

licences: $(VENV)/.ready ## fails on a licence that is not allowed
	@$(ALONE) $(BIN)/pip-licenses --summary

audit: $(VENV)/.ready $(TOOLS)/.ready ## known vulnerabilities of what the lock installs; asks the package index
	@$(ALONE) $(TOOLS)/bin/pip-audit --disable-pip --require-hashes -r requirements.txt --format json \
		--progress-spinner off 2>/dev/null | $(RUN) local.audit

sbom: $(TOOLS)/.ready ## .local/sbom.json, CycloneDX, from the lock
	@mkdir -p .local
	@$(ALONE) $(TOOLS)/bin/cyclonedx-py requirements requirements.txt --pyproject pyproject.toml \
		--output-reproducible --output-format JSON --output-file .local/sbom.json

wheel: $(VENV)/.ready ## .local/dist, the same bytes from the same sources
	@$(RUN) hatchling build --clean --target wheel --directory .local/dist
	@sha256sum .local/dist/*.whl

bench: $(VENV)/.ready $(JUDGE)/.ready ## how fast, beside others (SCALE=1000000: whole nights of so many contacts)
	@$(RUN) local.bench $(foreach contacts,$(SCALE),--scale $(contacts)) $(ARGS)

judge: $(JUDGE)/.ready ## the vendor's SDK, in an environment of its own

UV_COMPILE = $(ALONE) $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header

# the image's is a part of ours: what it runs is what was tested
lock: $(VENV)/.ready ## requirements.txt and the image's, from pyproject.toml
	$(UV_COMPILE) local/requirements-uv.in --no-annotate -o local/requirements-uv.txt
	$(UV_COMPILE) pyproject.toml --extra dev --extra celery -o requirements.txt
	$(UV_COMPILE) pyproject.toml deploy/requirements.in --extra celery --constraints requirements.txt \
		--no-annotate -o deploy/requirements.txt
	$(UV_COMPILE) local/tools.in --no-annotate -o local/tools.txt

clean: ## removes .venv, .local and every cache
	@if [ -x $(BIN)/python ] && [ -d .local ]; then $(RUN) local.clean; fi
	rm -rf $(VENV) .local .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# prints the first interpreter that Airflow supports, the one asked for first; not the name of it,
# which may be a script that looks the version up in the environment
FIND_PYTHON = \
	for python in $(if $(PYTHON),'$(PYTHON)',python3 python3.12 python3.11 python3.13); do \
		"$$python" -I -c 'import sys; (3, 11) <= sys.version_info[:2] <= (3, 13) or sys.exit(1); \
			print(sys.executable)' 2>/dev/null && exit 0; \
	done; \
	echo '$(if $(PYTHON),PYTHON=$(PYTHON) is not,there is no) Python 3.11, 3.12 or 3.13:' \
		'install one, or name it: make PYTHON=/path/to/python3.12' >&2; exit 1

# moved, copied, or of another interpreter or none since it was made: it is made again
WHERE := import constant_contact; print(*constant_contact.__path__)
ifneq ($(wildcard $(VENV)/.ready),)
ifneq ($(shell $(ALONE) $(BIN)/python -I -c '$(WHERE)' 2>/dev/null),$(CURDIR)/plugins/constant_contact)
$(shell rm -f $(VENV)/.ready $(JUDGE)/.ready $(TOOLS)/.ready)
endif
endif

$(VENV)/.ready: requirements.txt local/requirements-uv.txt pyproject.toml
	@python=$$($(FIND_PYTHON)) && "$$python" $(ISOLATE) "$$python" -m local.install $(VENV) requirements.txt \
		$(if $(PYTHON),--new)

$(JUDGE)/.ready: $(JUDGE_LOCK) | $(VENV)/.ready
	@$(RUN) local.install $(JUDGE) $(JUDGE_LOCK) --new

# not there yet, or removed: the tests that need the judge say so themselves
$(JUDGE_LOCK):

$(TOOLS)/.ready: local/tools.txt | $(VENV)/.ready
	@$(RUN) local.install $(TOOLS) local/tools.txt --new
