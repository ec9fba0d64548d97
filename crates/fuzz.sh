#!/usr/bin/env bash
# Fuzzes what the crates read of strangers, one target after the other:
#     crates/fuzz.sh [SECONDS [TARGET…]]
# Each runs for so many seconds (600 unless it is said), from the inputs in `crates/*/fuzz/corpus` and what earlier
# runs have kept in `target-fuzz`. An input that breaks a promise ends the run and is left in `target-fuzz`.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-600}
[[ $seconds =~ ^[0-9]+$ ]] || { echo "usage: $0 [SECONDS [TARGET…]]" >&2; exit 2; }
shift || true

need() { # need WHAT-FOR COMMAND-TO-INSTALL COMMAND…
    local missing=$1 install=$2
    shift 2
    "$@" >/dev/null 2>&1 && return
    echo "$missing is missing; install it with: $install" >&2
    exit 1
}
need "a nightly compiler, for its sanitizers," "rustup toolchain install nightly --profile minimal" cargo +nightly --version
need "cargo-fuzz" "cargo install cargo-fuzz --locked" cargo +nightly fuzz --version
need "a C++ compiler, for libFuzzer," "apt-get install g++" c++ --version

# crate, target, longest input in bytes: a little more than what is looked at, where there is such a limit.
all="
token  compact_token  9000
token  header         2048
token  claims         4096
jwks   jwk_set        9000
jwks   cache_control   400
bearer authorization  9000
bearer configuration  4096
"
known=$(awk 'NF { print $2 }' <<<"$all")
for wanted in "$@"; do
    grep -qx -- "$wanted" <<<"$known" || { echo "no target $wanted; there are:" $known >&2; exit 2; }
done

# One folder for all: what the crates have in common is built once.
built=$PWD/target-fuzz
while read -r crate target longest <&3; do
    [[ -n $crate ]] || continue
    [[ $# == 0 || " $* " == *" $target "* ]] || continue
    echo "=== $crate: $target for $seconds s"
    kept=$built/corpus/$target
    found=$built/artifacts/$target
    mkdir -p "$kept" "$found"
    (
        cd "crates/$crate"
        cargo +nightly fuzz run --target-dir "$built" "$target" "$kept" "fuzz/corpus/$target" -- \
            -max_total_time="$seconds" -max_len="$longest" -timeout=20 -rss_limit_mb=4096 \
            -artifact_prefix="$found/" -print_final_stats=1
    )
done 3<<<"$all"
