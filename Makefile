# What each target needs: Node >= 20.19 with npm, Python >= 3.10 with venv and pip, make. Everything is installed into
# the checkout: node_modules, .venv, dist. PYTHON=/path/to/python3 chooses the interpreter of .venv.

MAKEFLAGS += --no-print-directory --no-builtin-rules
.DEFAULT_GOAL := help

sources := $(shell find src -name '*.ts' -not -name '*.test.ts' 2>/dev/null)
bin := node_modules/.bin
tsx := node --import tsx

node_stamp := node_modules/.stamp
venv_stamp := .venv/.stamp
build_stamp := dist/.stamp

.PHONY: help install build dist demo test check test-nodes test-pythons format clean interpreters \
	structure test-survive test-cgroups test-container test-docs test-hostile test-packages test-apps test-deliveries \
	bench bench-sharing bench-exit bench-spawn bench-start bench-overhead bench-reload bench-refork bench-why \
	bench-heal bench-record bench-doors

help:
	@echo 'make demo        serve the bundled Django application under load and show the herd'
	@echo 'make test        every check and test'
	@echo 'make check       the same without real servers and other interpreters'
	@echo 'make structure   long files and functions, circles of imports, folders without a README'
	@echo 'make test-survive  herds under load to which everything is done that may happen; SURVIVE=long for the long form,'
	@echo '                 SURVIVE_HERDS="gevent uvicorn" for some of them'
	@echo 'make test-cgroups  memory limits under cgroups of version 2, in User Mode Linux where there are none'
	@echo 'make test-docs   every command line of the docs, and the reverse proxies; needs root'
	@echo 'make test-container  the container image: built with buildah on a root that debootstrap makes, run with runc'
	@echo 'make test-hostile  attacks on a herd of root, from a worker of nobody and from another user of the machine;'
	@echo '                 ATTACKS="a list;no type" for some'
	@echo 'make test-packages  packages that applications import, under gunicorn and Cowherd; PACKAGES="numpy lxml",'
	@echo '                 PYTHONS=3.13, SECONDS=600: a part; it goes on where it has stopped'
	@echo 'make test-apps   real applications, answer by answer beside gunicorn; APPS="mlflow wagtail" for some of them'
	@echo 'make test-deliveries  spans, transactions, jobs and calls of forked applications, each counted once;'
	@echo '                 CASES="sentry loguru" for some of them'
	@echo 'make test-nodes  the TypeScript checks and tests on Node 20, 22 and 24'
	@echo 'make test-pythons  make test on each CPython 3.10 to 3.14 found, with no other in reach; PYTHONS=3.11 USERS=ordinary'
	@echo 'make bench       every benchmark; also bench-sharing, bench-exit, bench-spawn, bench-start, bench-overhead,'
	@echo '                 bench-reload, bench-refork, bench-why, bench-heal, bench-record, bench-doors'
	@echo 'make interpreters  the heap policies on every CPython 3.10 to 3.15 found'
	@echo 'make dist        the packages for pip and npm, in packages/'
	@echo 'make install     node_modules and .venv        make build   dist'
	@echo 'make format      format all sources            make clean   remove what was installed and built'

install: $(node_stamp) $(venv_stamp)

build: $(build_stamp)

dist: install
	@$(tsx) scripts/dist.ts

$(node_stamp): package.json package-lock.json
	@echo '== Node packages (node_modules)'
	@node -e "const [a,b]=process.versions.node.split('.').map(Number); if (a<20||(a===20&&b<19)) {console.error('Cowherd needs Node 20.19 or newer; this is '+process.version); process.exit(1)}"
	@npm ci --no-fund --no-audit --loglevel=error
	@touch $@

$(venv_stamp): requirements-dev.txt scripts/find-python
	@echo '== Python packages (.venv)'
	@python=$$(scripts/find-python) && echo "with $$python" && "$$python" -m venv --clear .venv
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements-dev.txt
	@echo "$${PYTHON:+chosen }$$(scripts/find-python)" >$@

$(build_stamp): $(node_stamp) tsconfig.json tsconfig.build.json $(sources)
	@echo '== Build (dist)'
	@rm -rf dist
	@node_modules/typescript-7/bin/tsc -p tsconfig.build.json
	@touch $@

# With the newest interpreter that there is now, unless PYTHON chose that of .venv.
demo:
	@if [ -e $(venv_stamp) ] && ! grep -q '^chosen' $(venv_stamp) && [ "$$(cat $(venv_stamp))" != "$$(scripts/find-python)" ]; \
		then echo '== Another Python than that of .venv is the newest'; rm $(venv_stamp); fi
	@$(MAKE) install build
	@./bin/cowherd demo

# SUITE='--interpreter-only' and the like: see the head of scripts/suite.ts.
test: install build
	@$(tsx) scripts/suite.ts $(SUITE)

check: install build
	@$(tsx) scripts/suite.ts --quick

structure: install
	@$(tsx) scripts/structure.ts

test-nodes: install build
	@for version in 20 22 24; do \
		echo "== Node $$version"; \
		npx --yes --package=node@$$version -- node --import tsx scripts/suite.ts --typescript-only || exit 1; \
	done

# Brings CPython 3.14, where there is none.
test-pythons: install
	@scripts/get-interpreters.sh 3.14
	@$(tsx) scripts/test-pythons.ts $(PYTHONS) $(if $(USERS),--user $(USERS))

# In User Mode Linux, where this machine has cgroups of version 1 only.
test-cgroups: install build
	@COWHERD_CGROUP_V2=1 $(bin)/vitest run --project process test/cgroup-v2.test.ts

# With what Debian has: no registry of images is needed.
test-docs: install build
	@$(bin)/vitest run --project docs

test-container: install build
	@COWHERD_CONTAINER_IMAGE=1 $(bin)/vitest run --project process test/container-image.test.ts

test-survive: install build
	@$(tsx) bench/survive.ts

test-hostile: install build
	@$(tsx) test/hostile/run.ts

test-packages: install build
	@$(tsx) compatibility/packages/run.ts

test-apps: install build
	@$(tsx) compatibility/applications/run.ts

test-deliveries: install build
	@$(tsx) compatibility/deliveries/run.ts

interpreters: install
	@scripts/get-interpreters.sh
	@.venv/bin/python scripts/test-interpreters.py

bench: bench-sharing bench-exit bench-spawn bench-start bench-overhead bench-reload bench-refork bench-why bench-heal bench-record bench-doors

bench-sharing bench-exit bench-spawn bench-start bench-overhead bench-reload bench-refork bench-why bench-heal bench-record bench-doors: bench-%: install build
	@$(tsx) bench/$*.ts

format: install
	@$(bin)/oxfmt .
	@.venv/bin/ruff check --quiet --fix agent examples scripts bench compatibility test packaging
	@.venv/bin/ruff format agent examples scripts bench compatibility test packaging

clean:
	rm -rf node_modules .venv dist packages .mypy_cache .ruff_cache .pytest_cache
