#!/usr/bin/env bash
# Fuzzes every parser of foreign bytes for SECONDS each (3): tests/fuzz/run.sh [SECONDS]
# Findings stay in build/fuzz/findings; a test is a line "ok NAME" or "not ok NAME: why".
set -uo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-3}
[[ $seconds =~ ^[1-9][0-9]*$ ]] || { echo "tests/fuzz/run.sh: $seconds: not a number of seconds" >&2; exit 64; }

log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { cmake --preset fuzz && cmake --build --preset fuzz --target fuzz_all; } > "$log" 2>&1; then
  tail -20 "$log"
  echo "not ok fuzz_build: the targets do not build"
  exit 1
fi
failures=0
mkdir -p build/fuzz/findings
for target in build/fuzz/bin/fuzz_*; do
  name=$(basename "$target")
  corpus=build/fuzz/corpus/${name#fuzz_}
  mkdir -p "$corpus"
  if "$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
    -artifact_prefix=build/fuzz/findings/"$name"- "$corpus" "tests/fuzz/seeds/${name#fuzz_}" > "$log" 2>&1; then
    echo "# $name: $(awk '/number_of_executed_units/ { print $2 }' "$log") executions"
    echo "ok $name"
  else
    tail -30 "$log"
    echo "not ok $name: see build/fuzz/findings"
    failures=1
  fi
done
exit $failures
