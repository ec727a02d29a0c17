#!/usr/bin/env bash
# The socket probes by themselves: exact counts for every kind of call, and time that is the calls' own.
source "$(dirname "$0")/lib.bash"
need_root sockets

timeout 200 "$bin/sockets_exact" "$bin/calls" > "$work/out" 2>&1
status=$?
cat "$work/out"
if grep -q '^not ok' "$work/out"; then
  failures=1
elif [ $status -ne 0 ]; then
  not_ok sockets_exact "exit status $status"
fi
finish
