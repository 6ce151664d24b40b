#!/bin/sh
# Fuzzes every parser of molecule files: scripts/fuzz.sh [SECONDS] [SEED]; 120 seconds each by default.
# With a nightly compiler and cargo-fuzz by libFuzzer, which follows coverage; else by random mutants inside the tests.
# A finding fails the run and keeps the bytes that caused it.
set -eu
cd "$(dirname "$0")/../crates/symdiff-mol"
seconds="${1:-120}" seed="${2:-0}"
if cargo +nightly fuzz --version >/dev/null 2>&1; then
    # What is fuzzed is what is shipped.
    cp ../../Cargo.lock fuzz/Cargo.lock
    for target in $(cargo +nightly fuzz list); do
        mkdir -p "fuzz/target/found/$target"
        # libFuzzer takes seed 0 for "any".
        cargo +nightly fuzz run "$target" "fuzz/target/found/$target" "tests/corpus/$target" -- \
            -max_total_time="$seconds" -seed="$((seed + 1))" -timeout=10 -print_final_stats=1
    done
else
    echo "no nightly compiler with cargo-fuzz: random mutants inside the tests instead" >&2
    SYMDIFF_FUZZ_SECONDS="$seconds" SYMDIFF_FUZZ_SEED="$seed" \
        cargo test --release -p symdiff-mol --test hostile -- --nocapture fuzz_
fi
