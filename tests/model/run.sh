#!/usr/bin/env bash
# Model of the ring's memory ordering: clean as it is, and a violation with each ordering weakened.
set -uo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

simulate() { # NAME DEFINE...
  local name=$1
  shift
  g++ -std=c++11 -O1 -w -I/usr/include "$@" ring_model.cpp -o "$work/$name" || return 2
  "$work/$name" > "$work/$name.out" 2>&1
}

simulate as_it_is
if [ $? -eq 0 ]; then
  echo "ok ring_is_clean_under_every_schedule"
else
  echo "not ok ring_is_clean_under_every_schedule: $(tail -3 "$work/as_it_is.out" | tr '\n' ' ')"
  failures=1
fi
for ordering in WRITER_FENCE READER_FENCE TAIL_STORE TAIL_LOAD LATEST_STORE LATEST_LOAD \
  MARK_STORE MARK_LOAD INTENT_STORE INTENT_LOAD; do
  simulate "$ordering" "-D$ordering=rl::mo_relaxed"
  case $? in
    1) echo "ok ring_needs_$ordering" ;;
    0) echo "not ok ring_needs_$ordering: no violation without it"; failures=1 ;;
    *) echo "not ok ring_needs_$ordering: does not build"; failures=1 ;;
  esac
done
exit $failures
