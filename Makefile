# Every target works on a fresh machine with make, npm and any Node: what is missing is brought first.
# The full tests and the demo also need Temporal's own programs; see `make tools`.

.DEFAULT_GOAL := build
.PHONY: build demo tutorial tutorial-clusters tutorial-stop march test test-rest test-kubernetes test-long bench lint tools catalogue catalogue-check shapes clean distclean node dependencies

SERVER_VERSIONS ?= 1.20.5 1.21.6 1.23.1 1.28.1 1.29.1 1.30.7 1.31.2
NODE_FLAGS := --disable-warning=ExperimentalWarning

# Node 22.19 is the oldest that the libraries run on (undici, below the Kubernetes client). An older one stays as it is; a newer one comes into .tools.
NODE_WILL_DO := $(shell node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 22 || (a === 22 && b >= 19) ? 0 : 1)' 2>/dev/null && echo yes)

ifeq ($(NODE_WILL_DO),yes)
node: ;
else
NODE_SYSTEM := $(shell uname -s | sed -e 's/Linux/linux/' -e 's/Darwin/darwin/')
NODE_PROCESSOR := $(shell uname -m | sed -e 's/x86_64/x64/' -e 's/aarch64/arm64/')
NODE_PACKAGE := node-$(NODE_SYSTEM)-$(NODE_PROCESSOR)
# First on PATH, so that npm, jest and every child process run on it too.
export PATH := $(CURDIR)/.tools/node_modules/$(NODE_PACKAGE)/bin:$(PATH)

node: .tools/$(NODE_PACKAGE).stamp

# The stamp comes last: an install that was killed half-way is done again.
.tools/$(NODE_PACKAGE).stamp:
	@command -v npm >/dev/null 2>&1 || { echo "make: npm was not found; install Node 22.19 or later (it brings npm), then run make again" >&2; exit 1; }
	@echo "bringing Node 24 into .tools"
	@mkdir -p .tools
	@npm install --prefix .tools --no-save --no-audit --no-fund --loglevel=error $(NODE_PACKAGE)@24
	@.tools/node_modules/$(NODE_PACKAGE)/bin/node --version
	@touch $@
endif

# Not by file times: what is installed is compared with the lock file, so an install by hand is never done again.
# `npm ci` refuses where a registry lacks the packages of foreign systems (a mirror may); `npm install` then does the same
# by the same lock file, and leaves it as it is.
dependencies: node
	@node scripts/check-dependencies.js || npm ci --loglevel=silent || npm install --no-save --no-audit --no-fund --loglevel=error

build: dependencies
	@npm run --silent build

lint: dependencies
	@npm run --silent lint

# Temporal's servers, schema tools and CLI: release archives where GitHub or a mirror can be reached, else built with Go.
tools: build
	@node $(NODE_FLAGS) scripts/bring-tools.js $(SERVER_VERSIONS)

# Build, lint, types, tools, quick tests, full tests: within 25 minutes. The last line says how many tests passed and failed.
test: dependencies
	@node $(NODE_FLAGS) scripts/test-all.js $(SERVER_VERSIONS)

# The other tests on real clusters: stores, drivers and old servers that a change rarely meets. `.ci/run` runs both.
test-rest: dependencies
	@node $(NODE_FLAGS) scripts/test-all.js --rest $(SERVER_VERSIONS)

# The driver `kubernetes` against a real API server, and once on real containers; both are built first: some twenty minutes, once.
test-kubernetes: tools
	@node $(NODE_FLAGS) scripts/bring-kubernetes.js
	@npm run --silent test:kubernetes

# Whole roll-outs of minutes each, which `make test` leaves out.
test-long: tools
	@npm run --silent test:long

demo: build
	@node $(NODE_FLAGS) dist/demo/main.js

# The commands of docs/tutorial.md, one after the other.
tutorial: build
	@node $(NODE_FLAGS) scripts/run-tutorial.js

# Its two clusters, in the folder `tutorial`; and the end of them.
tutorial-clusters: build
	@node $(NODE_FLAGS) dist/tutorial/main.js start tutorial

tutorial-stop:
	@node $(NODE_FLAGS) dist/tutorial/main.js stop tutorial

# From 1.20 to 1.32 in one roll-out: about an hour, after building what is not there. No part of the tests.
march: build
	@node $(NODE_FLAGS) dist/march/main.js

bench: build
	@node $(NODE_FLAGS) dist/bench/main.js $(FIGURE)

# Reads a release of the server into catalogue/: VERSION=1.33.0, from the Go module proxy or from SOURCE, a folder with the
# server's source. See docs/knowledge.md.
catalogue: build
	@node $(NODE_FLAGS) dist/catalogue-builder/main.js add "$(VERSION)" "$(SOURCE)"

# Says where a release and catalogue/ disagree, and changes nothing.
catalogue-check: build
	@node $(NODE_FLAGS) dist/catalogue-builder/main.js check "$(VERSION)" "$(SOURCE)"

# Makes catalogue/shapes/ anew, by the scripts of VERSION on real databases; with 1.23.1, of the stores that ended with it.
shapes: build
	@node $(NODE_FLAGS) dist/catalogue-builder/main.js shapes "$(VERSION)" "$(SOURCE)"

# What was built. Libraries, Node and Temporal's programs stay, as they cost minutes to bring; see distclean.
clean:
	rm -rf dist coverage .test-results

distclean: clean
	rm -rf node_modules .tools
