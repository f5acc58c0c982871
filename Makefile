# All that a person or CI runs. Each target installs what it needs and does not find (on Debian; see .ci/setup).
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup build demo test test-container test-kernels test-binary package test-package manifests soak lint advisories bench collector kubernetes reference docs

CARGO ?= cargo
# Seconds of traffic in the demo, for each IP version.
DEMO_SECONDS ?= 4
# Debian's kernels that test-kernels boots, such as "bullseye sid-arm64" (see tests/kernels/run.sh). Empty means all.
KERNELS ?=
# The architectures that package makes packages for.
ARCHITECTURES ?= amd64 arm64
# The demo uses CARGO_TARGET_DIR if the caller sets it.
BINARY = $(or $(CARGO_TARGET_DIR),target)/release/otel-tcpretrans

help: ## lists these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: ## installs what the build, the demo, the tests and the lints need
	.ci/setup build demo test lint

build: ## builds the release binary
	.ci/setup build
	$(CARGO) build --release --locked

demo: ## compares the kernel's count with ours on a lossy link between two namespaces (needs root)
	.ci/setup build demo
	$(CARGO) build --release --locked
	DEMO_SECONDS="$(DEMO_SECONDS)" tests/demo/demo.sh "$(BINARY)"

test: ## tests units, and the real binary on the real kernel, with real backends and the real Kubernetes API
	.ci/setup build test
	tests/collector/build.sh
	tests/victoriametrics/fetch.sh
	tests/dashboards/fetch.sh
	tests/kubernetes/build.sh
	tests/chart/fetch.sh
	$(CARGO) test --locked --workspace --lib --bins --tests --no-fail-fast

test-container: ## builds the container image, and runs it with two capabilities (needs root)
	.ci/setup build test container
	tests/container/fetch.sh
	mkdir -p target/container
	cp "$$(deploy/static.sh amd64)" target/container/otel-tcpretrans-amd64
	OTEL_TCPRETRANS_BINARIES="$(CURDIR)/target/container" $(CARGO) test --locked --test container -- --nocapture

test-kernels: ## tests Debian's kernels since 5.10 in virtual machines, x86-64 and arm64
	.ci/setup build kernels
	tests/kernels/run.sh $(KERNELS)

test-binary: ## runs the packages' program on Debian's kernels since 5.10 in virtual machines, x86-64 and arm64
	.ci/setup build kernels
	mkdir -p target/binaries
	for architecture in $(ARCHITECTURES); do \
		cp "$$(deploy/static.sh $$architecture)" target/binaries/otel-tcpretrans-$$architecture; done
	OTEL_TCPRETRANS_BINARIES="$(CURDIR)/target/binaries" tests/kernels/run.sh $(KERNELS)

manifests: ## renders the plain manifests from the Helm chart
	deploy/kubernetes/render.sh "$$(tests/chart/fetch.sh)/helm" >target/manifests.yaml
	mv target/manifests.yaml deploy/kubernetes/manifests/otel-tcpretrans.yaml

package: ## makes the Debian packages, RPMs, static tarballs, the SBOM and the checksums in target/package
	.ci/setup build package
	deploy/package.sh $(ARCHITECTURES)
	tests/packages/check.sh

test-package: package ## installs the Debian package in a virtual machine with Debian 12 and systemd, and tests the service there
	tests/packages/run.sh target/package/otel-tcpretrans_*_amd64.deb

soak: ## tests delivery for longer: 200 kills, a minute of overload, half an hour of 10,000 events per second
	.ci/setup build test
	OTEL_TCPRETRANS_KILLS=200 OTEL_TCPRETRANS_STEADY_SECONDS=1800 $(CARGO) test --release --locked --test delivery -- --nocapture

lint: ## checks formatting, clippy, dependency rules and shell scripts
	.ci/setup build lint
	$(CARGO) fmt --all --check
	clang-format --dry-run -Werror bpf/*.c bpf/*.h crates/source-tcpretrans/benches/bpf_cost/bpf/*.c crates/source-tcpretrans/tests/kernel/bpf/*.c
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	$(CARGO) deny --log-level error check bans licenses sources
	shellcheck -x .ci/run .ci/setup tests/private-apt.sh tests/collector/build.sh tests/victoriametrics/fetch.sh tests/dashboards/fetch.sh tests/kubernetes/build.sh tests/demo/demo.sh tests/kernels/*.sh tests/chart/fetch.sh tests/container/fetch.sh tests/packages/*.sh deploy/*.sh deploy/*/*.sh

advisories: ## looks for known vulnerabilities and yanked versions (needs the network)
	.ci/setup build lint
	$(CARGO) deny check advisories

bench: ## measures the cost of a retransmission on its whole way, of the start, and of memory (needs root)
	.ci/setup build test bench
	tests/collector/build.sh
	$(CARGO) bench --locked --workspace
	@printf '\n=== all results again\n'
	@$(CARGO) bench --quiet --locked --bench table

collector: ## builds the real OpenTelemetry Collector for the tests in the user's cache folder
	.ci/setup collector
	tests/collector/build.sh

reference: ## writes docs/reference from the code
	.ci/setup build
	OTEL_TCPRETRANS_UPDATE=1 $(CARGO) test --locked --workspace --test reference the_page

docs: ## makes the book of docs in target/book, and checks its links
	.ci/setup build docs
	rm -rf target/book
	mdbook build docs
	cp -r config deploy target/book/
	$(CARGO) test --locked --workspace --test docs --test book

kubernetes: ## builds a real Kubernetes API server for the tests in the user's cache folder
	.ci/setup kubernetes
	tests/kubernetes/build.sh
