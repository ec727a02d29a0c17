#!/usr/bin/env bash
# Runs every bench of the budgets and prints one table: what, measured, budget, verdict.
#
#   tests/bench/run.sh [quick] [DIRECTORY]   DIRECTORY of the built programs (build/release/bin)
#
# Nothing is asserted: the exit status is 0 when all were measured. Needs root and an idle machine.
set -uo pipefail
cd "$(dirname "$0")/../.."
seconds=40
if [ "${1:-}" = quick ]; then seconds=8; shift; fi
bin=$(realpath "${1:-build/release/bin}")
[ "$(id -u)" = 0 ] || { echo "tests/bench/run.sh: only root can attach what is to be measured" >&2; exit 77; }

work=$(mktemp -d /dev/shm/netto-bench.XXXXXX)
chmod 755 "$work"
pids=()
clean_up() {
  [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2> /dev/null
  wait 2> /dev/null
  rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM
status=0
missing() { printf '%s\t%s\t-\t-\n' "$1" "$2"; status=1; }

# "NAME VARIANT VALUE budget N" becomes a row; budgets are limits, but for those that say "least".
rows() {
  awk '{ for (i = 3; i < NF; i++) if ($i == "budget") {
           least = $(i + 1) == "least"; limit = $(i + 1 + least); value = $(i - 1); name = $1
           for (j = 2; j < i - 1; j++) name = name " " $j
           good = least ? value + 0 >= limit + 0 : value + 0 <= limit + 0
           printf "%s\t%s\t%s%s\t%s\n", name, value, least ? ">= " : "", limit, good ? "within" : "MISSED"
           next } }'
}
bench() { # NAME
  if [ -x "$bin/$1" ]; then "$bin/$1" 2>&1 | rows || missing "$1" failed; else missing "$1" "not built"; fi
}

# child_of PID NAME: its pid; names are 15 characters at most
child_of() { pgrep -P "$1" -x "$2"; }
wait_for() { # SECONDS COMMAND...
  local tries=$(($1 * 20))
  shift
  for _ in $(seq "$tries"); do "$@" > /dev/null 2>&1 && return 0; sleep 0.05; done
  return 1
}

# netto as a user starts it, its table on a terminal that swallows everything
start_netto() {
  last_program=$(bpftool -j prog list | jq 'map(.id) | max // 0')
  TERM=xterm-256color script -q -c "stty rows 24 cols 80; exec $bin/netto --runtime-dir=$work/run" /dev/null \
    < /dev/null > /dev/null 2>&1 &
  pids+=($!)
  wait_for 60 test -S "$work/run/collector.sock" || return 1
  netto=$(pgrep -f -x "$bin/netto --runtime-dir=$work/run") || return 1
  wait_for 10 child_of "$netto" netto-aggregato || return 1
  collector=$(child_of "$netto" netto-collector)
  aggregator=$(child_of "$netto" netto-aggregato)
}
start_perf() {
  command -v perf > /dev/null || return 1
  perf record -q -a -g -F 997 -o "$work/perf.data" > "$work/perf.out" 2>&1 &
  perf=$!
  pids+=("$perf")
  wait_for 10 test -s "$work/perf.data"
}

# Resident memory but for what is mapped of rings, which are files or the kernel's and have a size
# that the user chose.
memory() { # NAME PID BUDGET_MIB
  awk -v name="$1" -v budget="$3" '
    FILENAME ~ /smaps$/ && /^[0-9a-f]+-/ { ring = $NF ~ /\/ring$/ || /bpf-map|bpf_ringbuf/ }
    FILENAME ~ /smaps$/ && /^Rss:/ { if (ring) rings += $2; else kib += $2 }
    /^VmHWM:/ { peak = $2 }
    END { printf "memory of %s\t%.1f MiB (peak %.1f, rings %.1f)\t%d MiB\t%s\n", name, kib / 1024, peak / 1024,
                 rings / 1024, budget, kib <= budget * 1024 ? "within" : "MISSED" }
  ' "/proc/$2/smaps" "/proc/$2/status"
}

whole_cost() {
  start_netto || { missing "whole cost" "netto did not start"; return; }
  sleep 3
  memory netto-collector "$collector" 8
  memory netto-aggregator "$aggregator" 32
  start_perf || { missing "whole cost" "perf record did not start: $(head -1 "$work/perf.out")"; return; }
  "$bin/whole_cost" "$seconds" "$last_program" "$collector,$aggregator" "$perf" || missing "whole cost" failed
}

{
  printf 'what\tmeasured\tbudget\tverdict\n'
  whole_cost
  for name in "$bin"/bench_*; do [ -x "$name" ] && bench "$(basename "$name")"; done
} > "$work/table"
column -t -s $'\t' "$work/table"
exit $status
