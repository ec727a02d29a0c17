#!/bin/sh
# record_stacks.sh - list the kernel stacks of a workload, to choose new cases from
#
#   record_stacks.sh SECONDS COMMAND...    as root; COMMAND makes the traffic
#
# Prints each distinct stack, the frequent ones first, in the form of
# tests/data/stacks without the line of the label: that is for you to decide.
# BUILD=DIR names the programs (build/release/bin).
set -eu

if [ $# -lt 2 ]; then
  echo "usage: $0 SECONDS COMMAND..." >&2
  exit 64
fi
seconds=$1
shift
bin=${BUILD:-$(dirname "$0")/../../build/release/bin}
work=$(mktemp -d /dev/shm/netto-stacks.XXXXXX)
chmod 755 "$work"
collector="" load=""
trap 'kill $collector $load 2>/dev/null || true; wait; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

"$bin/netto-collector" --runtime-dir="$work/run" >&2 &
collector=$!
until [ -S "$work/run/collector.sock" ]; do
  kill -0 "$collector" 2>/dev/null || exit 69
  sleep 0.1
done
"$@" >/dev/null 2>&1 &
load=$!
timeout --preserve-status "$seconds" "$bin/list_stacks" "$work/run"
