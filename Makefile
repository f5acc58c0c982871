# Everything a person or CI runs. Each target installs what it needs and finds missing (Debian; see .ci/setup).
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup build demo test test-kernels lint advisories bench collector

CARGO ?= cargo
# Seconds of traffic in the demo, for each IP version.
DEMO_SECONDS ?= 4
# Debian's kernels that test-kernels boots, such as "bullseye sid-arm64" (see tests/kernels/run.sh); none is all.
KERNELS ?=
# Where a caller sets CARGO_TARGET_DIR, the demo follows it.
BINARY = $(or $(CARGO_TARGET_DIR),target)/release/otel-tcpretrans

help: ## lists these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: ## installs what building, the demo, the tests and the lints need
	.ci/setup build demo test lint

build: ## the release binary
	.ci/setup build
	$(CARGO) build --release --locked

demo: ## lossy link between two namespaces: the kernel's count against ours (needs root)
	.ci/setup build demo
	$(CARGO) build --release --locked
	DEMO_SECONDS="$(DEMO_SECONDS)" tests/demo/demo.sh "$(BINARY)"

test: ## unit tests, the real binary from outside, the real kernel, the real Collector
	.ci/setup build test
	tests/collector/build.sh
	$(CARGO) test --locked --workspace --lib --bins --tests --no-fail-fast

test-kernels: ## the tests on a real kernel, in virtual machines with Debian's kernels since 5.10, x86-64 and arm64
	.ci/setup build kernels
	tests/kernels/run.sh $(KERNELS)

lint: ## formatting, clippy, dependency rules, shell scripts
	.ci/setup build lint
	$(CARGO) fmt --all --check
	clang-format --dry-run -Werror bpf/*.c bpf/*.h crates/source-tcpretrans/benches/bpf_cost/bpf/*.c
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	$(CARGO) deny --log-level error check bans licenses sources
	shellcheck -x .ci/run .ci/setup tests/private-apt.sh tests/collector/build.sh tests/demo/demo.sh tests/kernels/*.sh

advisories: ## known vulnerabilities and yanked versions (needs the advisory database from the network)
	.ci/setup build lint
	$(CARGO) deny check advisories

bench: ## what a retransmission costs, in BPF, decoded and end to end; start and memory (needs root)
	.ci/setup build test bench
	tests/collector/build.sh
	$(CARGO) bench --locked --workspace
	@printf '\n=== all of it once more\n'
	@$(CARGO) bench --quiet --locked --bench table

collector: ## the real OpenTelemetry Collector for the tests, cached in the user's cache folder
	.ci/setup collector
	tests/collector/build.sh
