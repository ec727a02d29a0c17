#!/usr/bin/env bash
# Sixteen aggregators with different backends on one collector, under load: each one's accounts are
# exact, the collector hardly notices them, and what happens to one changes nothing for the others.
#
#   sixteen.sh BIN [SECONDS]
source "$(dirname "$0")/lib.bash"
need_root sixteen
seconds=${2:-60}
count=16
first_uid=65400

log_of() { echo "$work/$1.json"; }
lines() { wc -l < "$1"; }
has_lines() { [ "$(lines "$1")" -ge "$2" ]; }
# start_aggregator NUMBER: each writes a log, for its accounts, and something more
aggregators=()
start_aggregator() {
  local number=$1 log more=()
  log=$(log_of "$number")
  touch "$log"
  chown $((first_uid + number)) "$log"
  case $((number % 4)) in
    1) more=(--prometheus=127.0.0.1:$((24900 + number))) ;;
    2) more=(--table) ;;
    3) more=(--log) ;;
  esac
  start setpriv --reuid=$((first_uid + number)) --regid=65533 --clear-groups \
    "$bin/netto-aggregator" --runtime-dir="$run_dir" --log-file="$log" "${more[@]}" \
    > /dev/null 2> "$work/$number.err"
  aggregators[number]=$started
}
# What the collector spends on a record, in ns, by the lines FROM to TO of a log
cost() { sed -n "$2,$3p" "$1" | jq -sr '(map(.overhead.collector_cpu_ns) | add) / (map(.delivered) | add) | floor'; }

# What is wrong with the accounts of a whole log
account() {
  jq -sr '. as $l |
    ([range(1; length)] | map(select($l[.].first_seq != $l[. - 1].last_seq + 1)) | length) as $breaks |
    (map(select(.delivered + .lost.ring_overrun + .lost.decode != .last_seq - .first_seq + 1)) | length) as $wrong |
    (map(.lost.decode + .gaps) | add) as $bad |
    select($breaks + $wrong + $bad > 0) | "\($breaks) breaks, \($wrong) wrong sums, \($bad) gaps"' "$1"
}

start "$bin/netto-collector" --runtime-dir="$run_dir" --frequency=10000 --ring-size=2MiB 2> "$work/collector.err"
collector=$started
wait_for 60 test -S "$run_dir/collector.sock" || not_ok sixteen "no collector: $(cat "$work/collector.err")"
start nice -n 5 "$here/traffic.py" udp 600
files=$(ls "/proc/$collector/fd" | wc -l)

start_aggregator 0
wait_for 10 has_lines "$(log_of 0)" 3
sleep $((seconds / 4))
alone_to=$(lines "$(log_of 0)")
for number in $(seq $((count - 1))); do start_aggregator "$number"; done
for number in $(seq 0 $((count - 1))); do wait_for 10 has_lines "$(log_of "$number")" 2; done
crowd_from=$(($(lines "$(log_of 0)") + 2))
sleep $((seconds / 2))
crowd_to=$(lines "$(log_of 0)")

# one is stopped until the ring laps it, one is killed, one is pushed out of memory
stopped=5 killed=6 paged=7
kill -STOP "${aggregators[stopped]}"
kill -9 "${aggregators[killed]}"
"$here/page_out.py" "${aggregators[paged]}" || not_ok page_out "cannot push memory out"
sleep $((seconds / 4 > 4 ? seconds / 4 : 4))
kill -CONT "${aggregators[stopped]}"
for number in $stopped $paged 0; do
  wait_for 10 has_lines "$(log_of "$number")" $(($(lines "$(log_of "$number")") + 3))
done
kill -0 "$collector" && ok collector_lives || not_ok collector_lives "$(cat "$work/collector.err")"
for number in $(seq 0 $((count - 1))); do
  [ "$number" = $killed ] || kill "${aggregators[number]}"
done
wait "${aggregators[@]}" 2> /dev/null
given_back() { [ "$(ls "/proc/$collector/fd" | wc -l)" -le "$files" ]; }
check collector_gives_all_descriptors_back "$files, then $(ls "/proc/$collector/fd" | wc -l)" \
  wait_for 5 given_back

wrong=
for number in $(seq 0 $((count - 1))); do
  account=$(account "$(log_of "$number")")
  [ -z "$account" ] || wrong="$wrong $number: $account;"
done
check delivered_and_lost_are_all_that_was_published "$wrong" test -z "$wrong"
undisturbed=()
for number in $(seq 0 $((count - 1))); do
  [ "$number" = $stopped ] || [ "$number" = $killed ] || undisturbed+=("$(log_of "$number")")
done
lost=$(cat "${undisturbed[@]}" | jq -s 'map(.lost.ring_overrun) | add')
check others_lose_nothing "$lost records" test "$lost" -eq 0
lost=$(jq -s 'map(.lost.ring_overrun) | add' "$(log_of $stopped)")
check stopped_one_counts_what_it_missed "none" test "$lost" -gt 0
# the first line of each begins where it came in
different=$(for log in "${undisturbed[@]}"; do tail -n +2 "$log"; done |
  jq -s 'group_by(.last_seq) | map(select(map([.first_seq, .delivered, .samples]) | unique | length > 1)) | length')
check all_see_the_same "$different periods differ" test "$different" -eq 0
one=$(cost "$(log_of 0)" 2 "$alone_to")
many=$(cost "$(log_of 0)" "$crowd_from" "$crowd_to")
echo "   the collector's CPU per record: $one ns with 1 aggregator, $many ns with $count"
check collector_hardly_notices_fifteen_more "$one ns a record, then $many" test "$many" -lt $((2 * one))
stop_collector() { kill "$collector"; wait "$collector"; }
check collector_ends_with_0 "another status" stop_collector
finish
