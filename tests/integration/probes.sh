#!/usr/bin/env bash
# The probes by themselves: softirq times against an independent ruler over ten seconds, and the
# sampler's filter against no filter.
source "$(dirname "$0")/lib.bash"
need_root probes

# The programs print their own lines; one that ends badly without a "not ok" is a failure.
for program in "probes_exact 10" probes_filter; do
  timeout 180 $bin/$program > "$work/out" 2>&1
  status=$?
  cat "$work/out"
  if grep -q '^not ok' "$work/out"; then
    failures=$((failures + 1))
  elif [ $status -ne 0 ]; then
    not_ok "$program" "exit status $status"
  fi
done
finish
