#!/usr/bin/env bash
# Compares netto, running, with `perf record -a -g` over the same seconds, its stacks read by
# reference.py, and with an independent exact timer of softirqs. By hand: it takes minutes.
#
#   tests/accuracy/run.sh [SECONDS] [CASE...]    10 s a case and all cases, if not told; as root
#
# BUILD=DIR names the programs (build/release/bin), KEEP=DIR keeps logs and stacks.
# Per case: a table of each context, component and step, and one line, ok or not ok.
source "$(dirname "$0")/../integration/lib.bash" "${BUILD:-$(dirname "$0")/../../build/release/bin}"
own=$(dirname "$(realpath "$0")")
source "$own/cases.bash"
need_root accuracy
seconds=10
[[ ${1:-} =~ ^[0-9]+$ ]] && { seconds=$1; shift; }
cases=("${@:-${all_cases[@]}}")
end_commands=()
hz=1487 # not netto's, so that the two do not look at the same moments

# end_case: what the case started and made is gone; its figures stay
end_case() {
  local name pid
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null; done
  for name in "${namespaces[@]}"; do
    for pid in $(ip netns pids "$name"); do kill "$pid" 2>/dev/null; done
  done
  wait 2>/dev/null
  for name in "${end_commands[@]}"; do $name; done
  for name in "${namespaces[@]}"; do ip netns del "$name" 2>/dev/null; done
  pids=() namespaces=() end_commands=()
}

# window_is_full LOG: netto splits a softirq's time by its last 1,000 samples; those of what ran
# before the case are no longer among them
window_is_full() { jq -en 'reduce inputs.contexts.softirq_rx.samples as $n (0; . + $n) > 1000' "$1"; }

# look DIRECTORY: the exact timer and perf over the same seconds
look() {
  start "$bin/exact_softirq" $((seconds + 3)) > "$1/exact"
  wait_for 60 test -s "$1/exact"
  perf record -q -o "$1/perf" -k CLOCK_REALTIME -e cpu-clock:k -F $hz -a -g -- sleep "$seconds" 2> "$1/perf.err"
  wait "$started"
  perf script -i "$1/perf" -F comm,pid,tid,cpu,time,ip,sym --ns > "$1/stacks" 2> "$1/perf.err"
  rm -f "$1/perf"
  grep -q do_syscall_64 "$1/stacks"
}

# measure CASE: netto, the exact timer and perf over the traffic that case_CASE starts
measure() {
  local name=$1 dir=$work/$1
  mkdir -p "$dir"
  if ! "case_$name" > "$dir/traffic" 2>&1; then
    skip "$name" "$(grep -m 1 . "$dir/traffic")"
    return
  fi
  start_netto -l "$dir/log" ${NETTO_OPTIONS:-} || { not_ok "$name" "netto did not start"; return; }
  wait_for 30 window_is_full "$dir/log"
  # perf 6.1 gives up, or names nothing, where a BPF program came and went while it recorded
  look "$dir" || look "$dir" || look "$dir"
  stop_netto || true
  "$own/compare.py" "$name" "$dir" $hz || failures=$((failures + 1))
  [ -z "${KEEP:-}" ] || cp -r "$dir" "$KEEP/"
}

for name in "${cases[@]}"; do
  declare -F "case_$name" > /dev/null || { echo "run.sh: $name: one of ${all_cases[*]}" >&2; exit 64; }
done
for name in "${cases[@]}"; do
  measure "$name"
  end_case
done
cat "$work"/*/row 2>/dev/null
finish
