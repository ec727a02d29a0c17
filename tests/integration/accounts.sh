#!/usr/bin/env bash
# Every record is delivered or counted: over restarts of an aggregator, one that is stopped until the
# ring laps it, and a restart of the collector.
source "$(dirname "$0")/lib.bash"
need_root accounts

start_collector() {
  start "$bin/netto-collector" --runtime-dir="$run_dir" --ring-size=64KiB 2> "$work/collector.err"
  collector=$started
  wait_for 60 test -S "$run_dir/collector.sock"
}
start_aggregator() { # LOG
  touch "$1"
  chown 65532 "$1"
  start setpriv --reuid=65532 --regid=65533 --clear-groups "$bin/netto-aggregator" \
    --runtime-dir="$run_dir" --log-file="$1" 2>> "$work/aggregator.err"
  aggregator=$started
}
stop() { kill "$1"; wait "$1"; }
lines() { wc -l < "$1"; }
has_lines() { [ "$(lines "$1")" -ge "$2" ]; }

mkdir -p "$run_dir"
chown 65533:65533 "$run_dir"
chmod 750 "$run_dir"
start_collector || { not_ok accounts "the collector did not start: $(cat "$work/collector.err")"; finish; }
start "$here/traffic.py" udp 120
load=$started
start_aggregator "$work/observer.json"
observer=$aggregator
wait_for 10 has_lines "$work/observer.json" 2

for _ in 1 2 3; do
  start_aggregator "$work/restarted.json"
  wait_for 10 has_lines "$work/restarted.json" $(($(lines "$work/restarted.json") + 3))
  stop "$aggregator"
  sleep 0.3   # several flushes of the collector
done
start_aggregator "$work/restarted.json"
wait_for 10 has_lines "$work/restarted.json" $(($(lines "$work/restarted.json") + 2))
kill -STOP "$aggregator"
sleep 3
kill -CONT "$aggregator"
wait_for 10 has_lines "$work/restarted.json" $(($(lines "$work/restarted.json") + 2))
stop "$aggregator"
sleep 1.5

# Both cut their lines at the same records, the collector's snapshots.
account() { jq -n "$1" "$2"; }
first=$(account 'first(inputs).first_seq' "$work/restarted.json")
last=$(account 'last(inputs).last_seq' "$work/restarted.json")
covered=$(account '[inputs | .delivered + .lost.ring_overrun + .lost.decode] | add' "$work/restarted.json")
gaps=$(account '[inputs] | [range(1; length) as $i | .[$i].first_seq - .[$i - 1].last_seq - 1] | add' "$work/restarted.json")
lost=$(account '[inputs.lost.ring_overrun] | add' "$work/restarted.json")
published=$(jq -n --argjson first "$first" --argjson last "$last" \
  '[inputs | select(.last_seq >= $first and .last_seq <= $last)] as $in | ($in | map(.delivered + .lost.ring_overrun + .lost.decode) | add) - ($first - $in[0].first_seq)' "$work/observer.json")
check delivered_and_lost_and_gaps_are_all_that_was_published \
  "covered $covered + gaps $gaps, the observer saw $published" test $((covered + gaps)) -eq "$published"
check gaps_between_runs_are_seen "none" test "$gaps" -gt 0
check stopped_aggregator_counts_what_it_missed "lost $lost" test "$lost" -gt 0
observer_lost=$(account '[inputs.lost.ring_overrun] | add' "$work/observer.json")
check observer_is_not_disturbed "it lost $observer_lost" test "$observer_lost" -eq 0

# A restart of the collector: another generation, totals go on, the gap is counted.
before=$(lines "$work/observer.json")
stop "$collector"
start_collector
wait_for 20 has_lines "$work/observer.json" $((before + 3))
generations=$(jq -r .generation "$work/observer.json" | sort -u | wc -l)
check collectors_restart_is_another_generation "$generations generations" test "$generations" -eq 2
check aggregator_outlives_the_collector "it ended" kill -0 "$observer"
stop "$observer"
stop "$load" 2> /dev/null
stop "$collector"
status=$?
check collector_ends_with_0 "exit status $status" test $status -eq 0
finish
