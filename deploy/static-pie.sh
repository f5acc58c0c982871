#!/usr/bin/env bash
# Links a static binary for arm64 that can be loaded at any address, so that the kernel loads it at a random one. rustc
# (1.95) asks for that on x86-64 only: on arm64 it passes '-static -no-pie', though the code that it makes is
# position-independent there too. static.sh names this script as the linker.
set -Eeuo pipefail

arguments=()
for argument in "$@"; do
    case $argument in
    -static) arguments+=(-static-pie) ;;
    -no-pie) ;;
    *) arguments+=("$argument") ;;
    esac
done
exec aarch64-linux-gnu-gcc "${arguments[@]}"
