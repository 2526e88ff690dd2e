# Everything a fresh machine needs is Python 3.11 or newer and make: each target first builds its own .venv.
.DEFAULT_GOAL := help
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Two a core, because most tests wait; each runs a PostgreSQL of its own: past eight they only wait for one another.
TESTERS ?= $(shell cores=$$(getconf _NPROCESSORS_ONLN); echo $$((cores < 4 ? 2 * cores : 8)))
# The tests start a thousand processes: what each imports is compiled once, also where Python is told to keep nothing.
# So are the asserts, which each tester would rewrite for itself: pytest does that where it looks for tests.
COLLECT := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 0 -q --collect-only
COMPILE := $(BIN)/python -m compileall -q pgqueue tests migrations && { $(COLLECT) >/dev/null || true; }
# Each tester begins with a stretch of its own, and steals: what the tests of a file share is seldom made twice.
PYTEST := $(COMPILE) && $(BIN)/python -m pytest -n $(TESTERS) --dist worksteal
FITS := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))

.PHONY: help demo test test-upgrades test-lowest audit sbom dist test-browser chromium test-adopt adopt-django adopt-web adopt-languages adopt-patroni test-faults pgbouncer redis test-all test-soak check format docs bench bench-limits bench-history clean

help: ## Say what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(READY) ## Index Python's own library with jobs, killing workers on the way: nothing lost, nothing doubled
	$(BIN)/pgqueue demo

test: $(READY) ## Run the tests on a PostgreSQL that they start themselves
	$(PYTEST)

test-faults: $(READY) pgbouncer ## Run the tests of faults that take seconds to happen: outages, failovers, poolers, hostile jobs
	$(PYTEST) -m "faults and not alone"
	$(PYTEST) -n 0 -m "faults and alone"

pgbouncer: # Have the pooler that the fault tests run behind
	@PATH="$$PATH:/usr/sbin:/usr/local/sbin"; if command -v pgbouncer >/dev/null; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "apt-get install pgbouncer"; export DEBIAN_FRONTEND=noninteractive; \
	  { apt-get install -y -qq pgbouncer || { apt-get update -qq && apt-get install -y -qq pgbouncer; }; } >/dev/null 2>&1; \
	  if command -v pgbouncer >/dev/null; then \
	    if [ -f /var/run/postgresql/pgbouncer.pid ]; then kill "$$(cat /var/run/postgresql/pgbouncer.pid)" || true; fi; \
	    exit 0; \
	  fi; \
	fi; \
	echo "the fault tests need PgBouncer; install it (Debian: apt install pgbouncer, macOS: brew install pgbouncer)" >&2; \
	exit 1

test-adopt: $(READY) adopt-django adopt-web adopt-languages adopt-patroni ## Run the tests with frameworks, drivers, servers and languages of others
	$(PYTEST) -m adopt

# What is missing in the end is skipped, with its name.
adopt-languages: # Have the languages whose programs docs/guides/other-languages.md shows, with their drivers
	@needed() { for name in psql go ruby php javac; do command -v $$name || return 1; done; ruby -e "require 'pg'" && php -r 'exit((int) !extension_loaded("pdo_pgsql"));' \
	  && [ -e /usr/share/java/postgresql.jar ] && [ -e /usr/share/gocode/src/github.com/jackc/pgx/v4 ]; }; \
	if needed >/dev/null 2>&1; then :; elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  packages="postgresql-client golang-go golang-github-jackc-pgx-v4-dev ruby ruby-pg php-cli php-pgsql libpostgresql-jdbc-java"; \
	  command -v javac >/dev/null || packages="$$packages default-jdk-headless"; \
	  echo "apt-get install $$packages"; export DEBIAN_FRONTEND=noninteractive; \
	  { apt-get install -y -qq --no-install-recommends $$packages || { apt-get update -qq && \
	    apt-get install -y -qq --no-install-recommends $$packages; }; } >/dev/null 2>&1 || true; \
	fi; \
	if command -v npm >/dev/null && [ ! -e .adopt/node/node_modules/pg ]; then \
	  echo "npm install pg"; npm install --silent --no-fund --no-audit --prefix .adopt/node pg >/dev/null 2>&1 || true; \
	fi

# Environments of their own for versions that one cannot hold: Django 6 needs Python 3.12.
adopt-django: .adopt/django52/.ready .adopt/django6/.ready # Have the Djangos that the tests bring up

.adopt/django52/.ready: LEAST = 3, 11
.adopt/django52/.ready: PACKAGES = 'django>=5.2,<5.3' django-tasks
.adopt/django6/.ready: LEAST = 3, 12
.adopt/django6/.ready: PACKAGES = 'django>=6'

.adopt/%/.ready: pyproject.toml
	@if command -v pyenv >/dev/null; then export PYENV_VERSION=$$(pyenv versions --bare | paste -sd: -); fi; \
	for python in python3.13 python3.12 python3.11 python3; do \
	  if $$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < ($(LEAST)))' 2>/dev/null; then \
	    echo "$$python -m venv $(@D)"; exec $$python -m venv --clear $(@D); \
	  fi; \
	done; \
	echo "these tests need Python $(LEAST) or newer, with its venv module" >&2; \
	exit 1
	PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore \
	  $(@D)/bin/python -m pip install --quiet --editable '.[binary,embedded,dashboard]' 'psycopg[pool]' pytest pytest-xdist pyyaml $(PACKAGES)
	@touch $@

adopt-patroni: # Have etcd and Patroni, whose leader the tests kill
	@if command -v etcd >/dev/null && command -v patroni >/dev/null; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "apt-get install etcd-server patroni"; export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1; \
	  { apt-get install -y -qq etcd-server patroni || { apt-get update -qq && apt-get install -y -qq etcd-server patroni; }; } >/dev/null 2>&1; \
	  command -v etcd >/dev/null && command -v patroni >/dev/null && exit 0; \
	fi; \
	echo "the tests with Patroni need it, and etcd; install them (Debian: apt install etcd-server patroni)" >&2; \
	exit 1

# Beside the environment, not in it: they bring versions of what the tests run on, and tests look here last.
adopt-web: .adopt/web/.ready # Have the frameworks and the queues that jobs are imported from

.adopt/web/.ready: $(READY)
	rm -rf .adopt/web
	PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore \
	  $(BIN)/python -m pip install --quiet --target .adopt/web \
	  procrastinate pgqueuer 'django-tasks-db[compat]' litestar
	@touch $@

test-browser: $(READY) chromium ## Look at every page of the dashboard with a real browser
	$(BIN)/python -m pytest -n 2 -m browser tests/browser

chromium: # Have the browser that looks at the dashboard
	@for name in chromium chromium-browser google-chrome google-chrome-stable; do command -v $$name >/dev/null && exit 0; done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "apt-get install chromium"; export DEBIAN_FRONTEND=noninteractive; \
	  { apt-get install -y -qq chromium || { apt-get update -qq && apt-get install -y -qq chromium; }; } >/dev/null 2>&1; \
	  command -v chromium >/dev/null && exit 0; \
	fi; \
	echo "the browser tests need Chromium; install it (Debian: apt install chromium), or name it in PGQUEUE_TEST_CHROMIUM" >&2; \
	exit 1

test-upgrades: $(READY) ## Run the release before this one beside it, through a migration and back; build twice, and compare
	$(BIN)/python -m pytest -n 0 -m upgrades tests/upgrades tests/release

# On the oldest Python, too: where several are there the oldest is taken.
test-lowest: .adopt/lowest/.ready ## Run a part of the tests with the oldest versions of everything that pgqueue needs
	.adopt/lowest/bin/python -m pytest -n $(TESTERS) --dist worksteal $(LOWEST)

# What touches the libraries: the database by psycopg and SQLAlchemy, the schema by alembic, commands by typer and rich,
# rules by croniter, pages by Starlette and Jinja, traces, errors, requests. Old versions warn of the newer ones beside them.
LOWEST := -W ignore::DeprecationWarning tests/words tests/store/test_migrate.py tests/upgrades tests/cli/test_migrate.py \
  tests/cli/test_output.py tests/cli/test_jobs.py tests/client/test_enqueue.py tests/client/test_connections.py \
  tests/client/test_schedules.py tests/dashboard/test_pages.py tests/watching tests/frameworks

.adopt/lowest/.ready: $(READY) pyproject.toml release/requirements.py
	@if command -v pyenv >/dev/null; then export PYENV_VERSION=$$(pyenv versions --bare | paste -sd: -); fi; \
	for python in python3.11 python3.12 python3.13 python3; do \
	  if $$python -c '$(FITS)' 2>/dev/null; then echo "$$python -m venv $(@D)"; exec $$python -m venv --clear $(@D); fi; \
	done; exit 1
	$(BIN)/python -m release.requirements --lowest > $(@D)/lowest.txt
	$(PIP) $(@D)/bin/python -m pip install --quiet --constraint $(@D)/lowest.txt --editable '.[$(EXTRAS)]' \
	  'psycopg[pool]' a2wsgi asyncpg build hatchling httpx hypothesis jsonschema opentelemetry-sdk \
	  opentelemetry-instrumentation-asgi packaging psycopg2-binary pytest pytest-xdist pyyaml structlog
	@touch $@

# What a user has who installs everything, and nothing else.
.adopt/users/.ready: $(READY) pyproject.toml
	$(BIN)/python -m venv --clear $(@D)
	$(PIP) $(@D)/bin/python -m pip install --quiet --upgrade pip
	$(PIP) $(@D)/bin/python -m pip install --quiet '.[$(EXTRAS)]'
	@touch $@

.adopt/audit/.ready:
	$(BIN)/python -m venv --clear $(@D)
	$(PIP) $(@D)/bin/python -m pip install --quiet pip-audit 'cyclonedx-python-lib[json-validation]'
	@touch $@

PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
EXTRAS = $(shell $(BIN)/python -c 'from release.requirements import extras; print(*extras(), sep=",")')
SITE = $(shell .adopt/users/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
# So that the same commit makes the same files.
EPOCH = SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct)

# Where the service that knows of them cannot be reached, it says so and passes: STRICT=1 has it fail then, too.
audit: $(READY) .adopt/users/.ready .adopt/audit/.ready ## Ask for known vulnerabilities of everything that users install
	@$(BIN)/python -m release.audit .adopt/audit/bin/pip-audit $(SITE) || \
	  { code=$$?; [ $$code = 3 ] && [ -z "$(STRICT)" ]; }

sbom: $(READY) .adopt/users/.ready .adopt/audit/.ready ## Write build/sbom.json, what an installation is made of (CycloneDX)
	@mkdir -p build
	$(EPOCH) $(BIN)/python -m release.sbom $(SITE) > build/sbom.json
	.adopt/audit/bin/python -m release.valid build/sbom.json

dist: $(READY) ## Build the wheel and the source archive in dist, the same for the same commit
	$(EPOCH) $(BIN)/python -m build --no-isolation

test-all: $(READY) ## Run the tests on every supported PostgreSQL
	$(BIN)/python -m tests.versions pytest -n $(TESTERS)

test-soak: $(READY) ## Run the tests that take minutes
	$(PYTEST) -m soak

check: $(READY) ## Check format, lint, types and who imports whom
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY) ## Format the code, and mend what the linter can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(READY) ## Build the documentation as pages for browsers, in build/site; a broken link is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
	@echo "build/site/index.html"

bench: $(READY) redis ## Measure the speed beside raw ceilings and other queues, and fill in docs/performance.md
	-$(BIN)/python -m bench peers install
	$(BIN)/python -m bench

bench-limits: $(READY) ## Measure jobs with limits, and what they cost those without (BEFORE=commit: beside that), for the same page
	$(BIN)/python -m bench --limits $(if $(BEFORE),--before $(BEFORE))

bench-history: $(READY) ## Make a month of history (SCALE=0.05: a twentieth), and measure every command and page that looks at it
	$(BIN)/python -m bench.looking --scale $(or $(SCALE),1)
	$(BIN)/python -m bench.onlookers --scale $(or $(SCALE),1)

redis: # Have the server that some of the other queues need; without it they are said to be missing
	@if command -v redis-server >/dev/null; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "apt-get install redis-server"; export DEBIAN_FRONTEND=noninteractive; \
	  { apt-get install -y -qq redis-server || { apt-get update -qq && apt-get install -y -qq redis-server; }; } >/dev/null 2>&1 || true; \
	fi

clean: ## Remove caches and builds; .venv stays
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -path ./$(VENV) -prune -o -path ./.postgres -prune -o -name __pycache__ -type d -exec rm -rf {} +

# An environment that is there already is kept if it can install; a broken one is made anew.
$(READY): pyproject.toml
	@if $(BIN)/python -c 'import pip; $(FITS)' 2>/dev/null; then exit 0; fi; \
	for python in python3.13 python3.12 python3.11 python3; do \
	  if $$python -c '$(FITS)' 2>/dev/null; then \
	    echo "$$python -m venv $(VENV)"; exec $$python -m venv --clear $(VENV); \
	  fi; \
	done; \
	echo "pgqueue needs Python 3.11 or newer with its venv module; install it (Debian: apt install python3-venv)" >&2; \
	exit 1
	PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore \
	  $(BIN)/python -m pip install --quiet --editable '.[binary,embedded,dashboard,prometheus,otel,sentry,tui,docs,dev]'
	@touch $@
