#!/usr/bin/env bash
# Model of the ring's memory ordering: clean as it is, and a violation with each ordering weakened.
# A test is a line "ok NAME", "not ok NAME: why" or "skip NAME: why".
set -uo pipefail
cd "$(dirname "$0")"
schedules=3000000
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

# 0: no violation in any schedule; 1: a violation; 2: it does not build.
simulate() { # NAME OPTION...
  local name=$1
  shift
  g++ -std=c++11 -w "-DITERATIONS=$schedules" "$@" ring_model.cpp -o "$work/$name" || return 2
  "$work/$name" > "$work/$name.out" 2>&1 || return 1
}

if ! echo '#include <relacy/relacy.hpp>' | g++ -w -fsyntax-only -x c++ - 2> /dev/null; then
  echo "skip ring_is_clean_under_every_schedule: needs g++ and relacy-dev"
  exit 0
fi
simulate as_it_is -O2
case $? in
  0) echo "ok ring_is_clean_under_every_schedule" ;;
  1) echo "not ok ring_is_clean_under_every_schedule: $(tail -3 "$work/as_it_is.out" | tr '\n' ' ')"
     failures=1 ;;
  *) echo "not ok ring_is_clean_under_every_schedule: does not build"; failures=1 ;;
esac
for ordering in WRITER_FENCE READER_FENCE TAIL_STORE TAIL_LOAD LATEST_STORE LATEST_LOAD \
  MARK_STORE MARK_LOAD INTENT_STORE INTENT_LOAD; do
  # The simulation ends at the first violation: building it well would take longer.
  simulate "$ordering" -O0 "-D$ordering=rl::mo_relaxed"
  case $? in
    1) echo "ok ring_needs_$ordering" ;;
    0) echo "not ok ring_needs_$ordering: no violation without it"; failures=1 ;;
    *) echo "not ok ring_needs_$ordering: does not build"; failures=1 ;;
  esac
done
exit $failures
