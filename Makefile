# zonecast: `make run` and `make test` are all a fresh machine needs.
#
#   make run     a demo zone on 127.0.0.1:5300
#   make test    every test there is, with a real Postgres; ONLY=tests/unit runs a part
#   make check   format, lint, types, import directions, by the pinned Deno: others differ in detail
#   make build   dist/zonecast, one executable (TARGET=aarch64-unknown-linux-gnu adds
#                dist/zonecast-aarch64-unknown-linux-gnu)
#   make clean   removes dist/ and .tools/
#
# DENO=/path/to/deno chooses the Deno; else one is found on PATH or fetched (.ci/deno).

TARGET ?=
ONLY ?= tests
# In CI a lock file that would change is an error.
FROZEN := $(if $(CI),--frozen)
deno := .ci/deno
ifdef DENO
export DENO
endif

.PHONY: run test check build clean

run:
	@.ci/demo

test: build
	ZONECAST_TEST_BINARY=1 $(deno) test $(FROZEN) --no-prompt --no-check --allow-all $(ONLY)

check:
	$(deno) --pinned fmt --check
	$(deno) --pinned lint
	$(deno) --pinned check $(FROZEN) .
	$(deno) --pinned test $(FROZEN) --no-prompt --allow-read --quiet tests/unit/import_directions_test.ts

build:
	$(deno) run $(FROZEN) --no-prompt --allow-all .ci/build.ts $(if $(TARGET),--target=$(TARGET))

clean:
	rm -rf dist .tools
