#!/usr/bin/env bash
# Counts the instructions of a request under valgrind, for every system and case, and writes them to FILE as a JSON array
# of {"system","case","instructions"}. Prints the table, and what is aimed at beside what was counted.
set -euo pipefail

usage() {
    echo "usage: $0 FILE [--requests N] [--only SYSTEM] [--case CASE]" >&2
    exit 2
}

[[ $# -ge 1 && $1 != -* ]] || usage
file=$1
shift

if ! command -v valgrind >/dev/null; then
    echo "valgrind is not installed; on Debian: apt-get install valgrind" >&2
    exit 1
fi

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cargo build --release --manifest-path "$here/Cargo.toml" --bin instructions
program=${CARGO_TARGET_DIR:-$here/target}/release/instructions

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Counted is only what happens in the first function, and each return from the second writes a file of its own. Takes a
# minute or a few; the limit is for what hangs.
timeout 900 valgrind --tool=callgrind --callgrind-out-file="$work/out" \
    --toggle-collect=instructions::counted_request --dump-after=instructions::counted_requests \
    --log-file="$work/valgrind.log" \
    "$program" run "$@" >"$work/done.txt" || {
    tail -n 20 "$work/valgrind.log" >&2
    exit 1
}
"$program" read "$work" --json "$file"
