#!/usr/bin/env bash
# Measures everything and puts it into docs/performance.md: results and plots go to docs/performance, tables between the
# page's markers. With a folder, results, plots and a copy of the page go there instead. Takes about 10 minutes after the
# build; run it on a machine that does nothing else.
set -euo pipefail

[[ $# -le 1 && ${1-} != -* ]] || {
    echo "usage: $0 [OUT_FOLDER]" >&2
    exit 2
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
page=$root/docs/performance.md
out=${1:-$root/docs/performance}
mkdir -p "$out"
out=$(cd "$out" && pwd)
if [[ $# -eq 1 ]]; then
    cp "$page" "$out/performance.md"
    page=$out/performance.md
fi

# What is built now is what is measured, whatever is committed meanwhile.
source=$(git -C "$root" describe --always --dirty --abbrev=9 --exclude '*')
# One per core or more means that something else runs, and that times are not to be trusted.
load=$(cut -d ' ' -f 1 /proc/loadavg)

cargo build --release --manifest-path "$here/Cargo.toml" --bins
programs=${CARGO_TARGET_DIR:-$here/target}/release

step() { printf '\n=== %s (%s s)\n' "$1" "$SECONDS"; }

# The limits are for what hangs.
step compare
timeout 600 "$programs/compare" --json "$out/compare.json" --markdown "$out/compare.md"
step instructions
"$here/instructions.sh" "$out/instructions.json"
step disturb
timeout 600 "$programs/disturb" --json "$out/disturb.json"
step scale
timeout 600 "$programs/scale" --json "$out/scale.json"
step memory
timeout 600 "$programs/memory" --json "$out/memory.json"

step page
{
    echo "| | |"
    echo "|---|---|"
    echo "| processor | $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | sort -u), $(nproc) cores |"
    echo "| system | $(uname -sr), $(uname -m) |"
    echo "| load before the run | $load |"
    echo "| compiler | $(rustc --version), release profile of crates/bench |"
    echo "| valgrind | $(valgrind --version) |"
    echo "| source | $source, $(date -u +%F) |"
    # What stands between the heading of the peers and the next one.
    echo "| peers | $(sed -n '/^# The peers/,/^$/s/^\([a-z][a-z0-9_-]*\) = .*=\([0-9][0-9.]*\).*/\1 \2/p' "$here/Cargo.toml" | paste -sd, | sed 's/,/, /g') |"
} >"$out/machine.md"
"$programs/page" "$out" "$page"
step done
