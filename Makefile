# zonecast: `make run` and `make test` are all a fresh machine needs.
#
#   make run     a demo zone on 127.0.0.1:5300
#   make test    every test there is, with a real Postgres; ONLY=tests/unit runs a part
#                (ZONECAST_TEST_LANES=1: one file after another; .ci/test.ts)
#   make fuzz    sends COUNT (1,000,000) messages made from SEED (the time) to the running server
#   make abuse   has clients behave badly, SECONDS (15) for each kind, longer than `make test` does
#   make fault   breaks everything on purpose, and ends with a table of what was noticed;
#                FAULTS=name,… (LIST=1 shows the names), MARKDOWN=1 as the README has it
#   make model   the whole server against a model: STEPS (3,000) of changes, kills, outages made from
#                SEED (the time); REPLAY=path,replayPath; VERBOSE=1 prints each. `make fault` does it too
#   make bench   measures zonecast beside Debian's servers; ROUNDS=n, ONLY=scenario,…, JSON=FILE, SVG=FILE, QUICK=1
#   make soak    everything at once for DURATION (30m): does it stay flat? SVG=FILE, SEED=n
#   make check   format, lint, types, import directions, by the pinned Deno: others differ in detail
#   make build   dist/zonecast, one executable (TARGET=aarch64-unknown-linux-gnu adds
#                dist/zonecast-aarch64-unknown-linux-gnu)
#   make dist    the release in dist/zonecast-VERSION: executables for x86_64 and aarch64, SHA256SUMS,
#                completions, manual page, unit; TWICE=1 compiles each twice and compares
#   make dist-test   that, and runs the executable for aarch64 under QEMU
#   make clean   removes dist/ and .tools/
#
# DENO=/path/to/deno chooses the Deno; else one is found on PATH or fetched (.ci/deno).

TARGET ?=
# In CI a lock file that would change is an error.
FROZEN := $(if $(CI),--frozen)
deno := .ci/deno
ifdef DENO
export DENO
endif

.PHONY: run test fuzz abuse fault model bench soak check build dist dist-test clean

run:
	@.ci/demo

test: build
	@ZONECAST_TEST_BINARY=1 $(deno) run $(FROZEN) --no-prompt --no-check --allow-all .ci/test.ts \
		$(FROZEN) $(or $(ONLY),tests)

fuzz: build
	ZONECAST_TEST_BINARY=1 COUNT=$(or $(COUNT),1000000) SEED=$(or $(SEED),$(shell date +%s)) \
	  $(deno) test $(FROZEN) --no-prompt --no-check --allow-all \
	  tests/unit/server/fuzz_cost_test.ts tests/fault/fuzz_test.ts

abuse: build
	ZONECAST_TEST_BINARY=1 ABUSE_SECONDS=$(or $(SECONDS),15) \
	  $(deno) test $(FROZEN) --no-prompt --no-check --allow-all \
	  tests/fault/abuse_test.ts tests/fault/descriptors_test.ts

fault: build
	@ZONECAST_TEST_BINARY=1 $(deno) run $(FROZEN) --no-prompt --no-check --allow-all tests/fault/main.ts \
	  $(if $(FAULTS),--faults=$(FAULTS)) $(if $(MARKDOWN),--markdown) $(if $(LIST),--list)
	@$(if $(FAULTS)$(LIST),,$(MAKE) --no-print-directory model)

model: build
	@ZONECAST_TEST_BINARY=1 STEPS=$(or $(STEPS),3000) SEED=$(or $(SEED),$(shell date +%s)) \
	  $(deno) test $(FROZEN) --no-prompt --no-check --allow-all tests/fault/model/model_test.ts

# What cannot be installed here is named, and left out.
bench: build
	@.ci/servers || echo "some servers could not be installed: going on with those that are here"
	@$(deno) run $(FROZEN) --no-prompt --no-check --allow-all tests/bench/main.ts \
	  $(if $(ONLY),--only=$(ONLY)) $(if $(PEERS),--peers=$(PEERS)) $(if $(ROUNDS),--rounds=$(ROUNDS)) \
	  $(if $(JSON),--json=$(JSON)) $(if $(SVG),--svg=$(SVG)) $(if $(QUICK),--quick)

soak: build
	@.ci/servers || echo "some programs could not be installed: going on with those that are here"
	@$(deno) run $(FROZEN) --no-prompt --no-check --allow-all tests/soak/main.ts \
	  $(if $(DURATION),--duration=$(DURATION)) $(if $(SEED),--seed=$(SEED)) $(if $(SVG),--svg=$(SVG))

check:
	$(deno) --pinned fmt --check
	$(deno) --pinned lint
	$(deno) --pinned check $(FROZEN) .
	$(deno) --pinned test $(FROZEN) --no-prompt --allow-read --quiet tests/unit/import_directions_test.ts

build:
	$(deno) run $(FROZEN) --no-prompt --allow-all .ci/build.ts $(if $(TARGET),--target=$(TARGET))

dist:
	@$(deno) run $(FROZEN) --no-prompt --allow-all .ci/dist.ts $(if $(TWICE),--twice)

dist-test: dist
	for aarch64 in $(CURDIR)/dist/zonecast-*/zonecast-aarch64-linux; do \
	  ZONECAST_REQUIRE_INTEROP=1 ZONECAST_TEST_AARCH64=$$aarch64 \
	    $(deno) test $(FROZEN) --no-prompt --no-check --allow-all tests/e2e/aarch64_under_qemu.ts || exit 1; \
	done

clean:
	rm -rf dist .tools
