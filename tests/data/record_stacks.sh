#!/bin/sh
# record_stacks.sh - list the kernel stacks of a workload, to choose new cases from
#
#   record_stacks.sh SECONDS COMMAND...    as root; COMMAND makes the traffic
#
# Prints each distinct stack, the frequent ones first, in the form of
# tests/data/stacks without the line of the label: that is for you to decide.
# Needs perf; the softirq vector is not recorded, so add "vector:" where it counts.
set -eu

if [ $# -lt 2 ]; then
  echo "usage: $0 SECONDS COMMAND..." >&2
  exit 64
fi
seconds=$1
shift
data=$(mktemp)
trap 'rm -f "$data"' EXIT

"$@" >/dev/null 2>&1 &
load=$!
perf record -q -o "$data" -a -g -e cpu-clock:k -F 1999 -- sleep "$seconds" >/dev/null 2>&1
kill "$load" 2>/dev/null || true
wait "$load" 2>/dev/null || true

# One line a stack, frames apart by "|", kernel half of the addresses only.
perf script -i "$data" -F comm,cpu,ip,sym 2>/dev/null |
  awk '/^[^ \t]/ { idle = $1 == "swapper"; stack = "" }
    /^[ \t]/ && $1 ~ /^ffff/ { stack = stack "|" ($2 == "[unknown]" ? "?" : $2) }
    /^$/ && stack != "" { print (idle ? "|hints: idle" : "") stack }' |
  sort | uniq -c | sort -rn |
  awk '{ sub(/^ *[0-9]+ /, "# " $1 " samples"); gsub(/\|/, "\n"); print $0 "\n" }'
