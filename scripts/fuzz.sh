#!/bin/sh
# Fuzzes every parser of molecule files: scripts/fuzz.sh [SECONDS] [SEED]; 120 seconds each by default.
# A finding fails the run, prints its seed and keeps the bytes that caused it.
set -eu
cd "$(dirname "$0")/.."
SYMDIFF_FUZZ_SECONDS="${1:-120}" SYMDIFF_FUZZ_SEED="${2:-0}" \
    cargo test --release -p symdiff-mol --test hostile -- --nocapture fuzz_
