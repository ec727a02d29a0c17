#!/usr/bin/env bash
# What happens on real machines: programs killed at any moment, a full disk, no descriptors or memory
# left, a collector that is stopped. Everything goes on by itself and what was counted stays right.
#
#   FAULTS=N   so many kills (10)
source "$(dirname "$0")/lib.bash"
need_root faults
for program in jq curl bpftool prlimit; do
  command -v $program > /dev/null || { skip faults "no $program here"; exit 0; }
done
faults=${FAULTS:-10}

# supervise NAME COMMAND...: start it again whenever it ends; its pid, and when it was started, in
# $work/NAME.pid
supervise() {
  local name=$1
  shift
  while :; do
    "$@" 2>> "$work/$name.err" < /dev/null &
    trap 'kill $! 2> /dev/null; wait; exit 0' TERM
    echo "$! $(now_ms)" > "$work/$name.pid.new"
    mv "$work/$name.pid.new" "$work/$name.pid"
    wait $! 2> /dev/null
    sleep 0.1
  done
}
now_ms() { date +%s%3N; }
pid_of() { cut -d' ' -f1 "$work/$1.pid" 2> /dev/null; }
started_ms() { cut -d' ' -f2 "$work/$1.pid"; }
# without a word from bash about a job that was killed
kill_now() {
  local pid
  pid=$(pid_of "$1")
  kill -9 "$pid" 2> /dev/null
  while kill -0 "$pid" 2> /dev/null; do sleep 0.01; done
}
# aggregator UID LOG: the words that start one, in $aggregator
aggregator() {
  aggregator=(setpriv --reuid="$1" --regid=65533 --clear-groups "$bin/netto-aggregator"
    --runtime-dir="$run_dir" --log-file="$2")
}

lines() { wc -l < "$1"; }
has_lines() { [ "$(lines "$1")" -ge "$2" ]; }
more_lines() { wait_for 30 has_lines "$1" $(($(lines "$1") + ${2:-2})); }
new_log() { # NAME UID: in $log
  log=$work/logs/$1.json
  touch "$log"
  chown "$2" "$log"
}
# What is wrong with a log: a line that is cut, a sum that is not exact, numbers that do not follow
# on one another while neither program was started anew.
wrong_with() { # LOG [restarted]
  jq -e . "$1" > /dev/null 2>&1 || { echo "a line is not whole"; return; }
  jq -sr --arg restarted "${2:-}" '. as $l
    | (map(select(.delivered + .lost.ring_overrun + .lost.decode != .last_seq - .first_seq + 1)) | length) as $sums
    | ([range(1; length) | select($l[.].generation == $l[. - 1].generation and $l[.].first_seq != $l[. - 1].last_seq + 1)] | length) as $breaks
    | ([range(1; length) | select($l[.].generation == $l[. - 1].generation and $l[.].first_seq <= $l[. - 1].last_seq)] | length) as $twice
    | select($sums + $twice + (if $restarted == "" then $breaks else 0 end) > 0)
    | "\($sums) sums, \($breaks) breaks, \($twice) records twice"' "$1"
}
check_accounts() { # NAME LOG [restarted]
  local wrong
  wrong=$(wrong_with "${@:2}")
  check "$1" "$wrong" test -z "$wrong"
}
# Samplers that were attached since the start, and are still
samplers() {
  bpftool -j prog list | jq --argjson known "$known_programs" \
    'map(select(.id > $known and .name == "on_tick")) | length'
}
has_samplers() { [ "$(samplers)" = "$1" ]; }

mkdir -p "$run_dir" "$work/logs"
chown 65533:65533 "$run_dir"
chmod 750 "$run_dir"
chmod 711 "$work/logs"
known_programs=$(bpftool -j prog list | jq 'map(.id) | max // 0')
new_log observer 65532
observer_log=$log
new_log killed 65531
killed_log=$log
start supervise collector "$bin/netto-collector" --runtime-dir="$run_dir"
collector_loop=$started
wait_for 60 test -S "$run_dir/collector.sock" || { not_ok faults "no collector: $(cat "$work/collector.err")"; finish; }
aggregator 65532 "$observer_log"
start supervise observer "${aggregator[@]}" --prometheus=127.0.0.1:0
observer_loop=$started
aggregator 65531 "$killed_log"
start supervise killed "${aggregator[@]}"
killed_loop=$started
start "$here/traffic.py" connect 3600
start nice -n 5 "$here/traffic.py" udp 3600
find_address() { # MESSAGES: in $address
  wait_for 20 grep -q 'listening on' "$1"
  address=$(sed -n 's|.*http://\([^ ]*\)/metrics.*|\1|p' "$1")
}
find_address "$work/observer.err"
more_lines "$observer_log" && more_lines "$killed_log" || not_ok faults "no figures"
files=$(ls "$run_dir")

# ---- kill -9
generation_of() { tail -1 "$1" | grep -o "\"generation\":\"[0-9]*\""; }
# waited_ms NAME: how long it was ready to run and had no CPU
waited_ms() { awk '{ print int($2 / 1000000) }' "/proc/$(pid_of "$1")/schedstat" 2> /dev/null || echo 0; }
socket_inode() { stat -c %i "$run_dir/collector.sock" 2> /dev/null || echo "${1:-}"; }
# flows LINES GENERATION: there are more lines, and the last one is of another collector
flows() { [ "$(lines "$killed_log")" -gt "$1" ] && [ "$(generation_of "$killed_log")" != "$2" ]; }

# watch_one PROGRAM...: kills them, and tells how long after their supervisors' restart figures flow
# again: in $took, and in $took_itself without what a busy machine adds, which is the aggregator's
# waiting for a CPU and what a collector's start takes beyond a second: it waits for the kernel then.
watch_one() {
  local name lines generation=none socket ready= waited=0 restarted=0
  [[ $* != *collector* ]] || generation=$(generation_of "$killed_log")
  [[ $* == *killed* ]] || waited=$(waited_ms killed)
  socket=$(socket_inode)
  for name in "$@"; do kill_now "$name"; done
  lines=$(lines "$killed_log")   # with the last one of the aggregator that is no more
  for _ in $(seq 1000); do
    [ -n "$ready" ] || [ "$(socket_inode "$socket")" = "$socket" ] || ready=$(now_ms)
    flows "$lines" "$generation" && break
    sleep 0.03
  done
  took=$(now_ms)
  flows "$lines" "$generation" || stuck=$((stuck + 1))
  for name in "$@"; do
    [ "$(started_ms "$name")" -le $restarted ] || restarted=$(started_ms "$name")
  done
  took=$((took - restarted))
  took_itself=$((took - $(waited_ms killed) + waited))
  [ -z "$ready" ] || [ $((ready - restarted)) -le 1000 ] || took_itself=$((took_itself - (ready - restarted - 1000)))
}
victims=(collector killed "collector killed")
limit=2000
! ldd "$bin/netto-aggregator" | grep -q libasan || limit=4000   # which makes all slower
stuck=0 late=0 over=0 slowest=0
for number in $(seq "$faults"); do
  sleep "0.$((RANDOM % 1000 + 1000))"
  watch_one ${victims[number % 3]}
  [ $took -le $limit ] || over=$((over + 1))
  [ $took_itself -le $limit ] || late=$((late + 1))
  [ $took -le $slowest ] || slowest=$took
done
echo "   $faults kills: $over took more than $limit ms to go on, $late by themselves, the longest $slowest ms"
check figures_flow_again_after_each_kill "$stuck times of $faults they did not" test $stuck -eq 0
check figures_flow_again_in_time "$late times of $faults they did not" test $late -le $((faults / 5))
more_lines "$observer_log"
check files_are_as_they_were "$(ls "$run_dir")" test "$(ls "$run_dir")" = "$files"
check_accounts killed_collectors_accounts_hold "$observer_log"
check_accounts killed_aggregators_accounts_hold "$killed_log" restarted
# (the next kill may come before the observer has a line of it: watch_one() waits for the other's)
generations=$(jq -r .generation "$observer_log" "$killed_log" | sort -u | wc -l)
check each_killed_collector_is_another_generation "$generations" \
  test "$generations" -eq $((1 + (faults + 1) / 3 + faults / 3))
check killed_collectors_leave_no_program "$(samplers) samplers" wait_for 30 has_samplers 1

# ---- the collector is stopped
page() { curl -sS --max-time 2 "http://$address/metrics"; }
# (No pipe: whoever writes into it fails when grep has seen enough.)
page_has() { grep -qE "$1" <<< "$(page)"; }
wait_for 20 page_has '^netto_collector_up 1$'
kill -STOP "$(pid_of collector)"
stopped=$(now_ms)
check stopped_collector_shows_as_down "up stays 1" wait_for 20 page_has '^netto_collector_up 0$'
while [ $(($(now_ms) - stopped)) -lt 10000 ]; do sleep 0.2; done
check aggregators_wait_for_a_stopped_collector "one ended" kill -0 "$(pid_of observer)" "$(pid_of killed)"
kill -CONT "$(pid_of collector)"
check continued_collector_shows_as_up "up stays 0" wait_for 20 page_has '^netto_collector_up 1$'
more_lines "$observer_log"
longest=$(jq -s 'map(.period_ns) | max / 1e9 | floor' "$observer_log")
check the_time_it_was_stopped_is_in_the_figures "longest period $longest s" test "$longest" -ge 10
check_accounts stopped_collectors_accounts_hold "$observer_log"
for phrase in 'publishes nothing' 'publishes again'; do
  check "the_log_says_once_that_it_${phrase// /_}" "$(cat "$work/observer.err")" \
    test "$(grep -c "$phrase" "$work/observer.err")" -eq 1
done

# ---- no descriptors left: a collector comes back while clients hold all of them
observer=$(pid_of observer)
new_log few 65530
few_log=$log
aggregator 65530 "$few_log"
start prlimit --nofile="$(($(ls "/proc/$observer/fd" | wc -l) + 2))" \
  "${aggregator[@]}" --prometheus=127.0.0.1:0 2> "$work/few.err"
few=$started
find_address "$work/few.err"
more_lines "$few_log"
start python3 -c "
import socket, sys, time
host, port = sys.argv[1].rsplit(':', 1)
held = [socket.create_connection((host, int(port))) for _ in range(64)]
time.sleep(6)" "$address"
clients=$started
no_page() { ! page; }
check out_of_descriptors_it_is "it answers still" wait_for 4 no_page
kill_now collector
more_lines "$killed_log" 4
wait "$clients" 2> /dev/null
check out_of_descriptors_it_lives "it ended: $(tail -3 "$work/few.err")" kill -0 "$few"
check out_of_descriptors_figures_flow_again "$(tail -3 "$work/few.err")" more_lines "$few_log"
check out_of_descriptors_it_answers_again "no page" wait_for 30 page_has '^netto_collector_up 1$'
check_accounts out_of_descriptors_accounts_hold "$few_log"
kill "$few"
wait "$few" 2> /dev/null

# ---- the disk is full
mkdir "$work/small"
mount -t tmpfs -o size=1m tmpfs "$work/small"
chown 65530 "$work/small"
aggregator 65530 "$work/small/log.json"
start "${aggregator[@]}" 2> "$work/full.err"
full=$started
wait_for 20 test -s "$work/small/log.json"
more_lines "$work/small/log.json"
dd if=/dev/zero of="$work/small/ballast" bs=4k 2> /dev/null
more_lines "$killed_log" 4
rm "$work/small/ballast"
check full_disk_lines_come_again "$(cat "$work/full.err")" more_lines "$work/small/log.json"
check full_disk_it_lives "it ended: $(cat "$work/full.err")" kill -0 $full
check_accounts full_disk_accounts_hold "$work/small/log.json" restarted
kill $full
wait $full 2> /dev/null
umount "$work/small"

# ---- the memory of a control group is full, and the kernel kills the aggregator in it
group= limit_file=
for tree in /sys/fs/cgroup /sys/fs/cgroup/unified; do
  ! grep -qsw memory "$tree/cgroup.subtree_control" || { group=$tree/netto-$$ limit_file=memory.max; }
done
[ ! -e /sys/fs/cgroup/memory/memory.limit_in_bytes ] || { group=/sys/fs/cgroup/memory/netto-$$ limit_file=memory.limit_in_bytes; }
if [ -n "$group" ] && mkdir "$group" 2> /dev/null && echo 512M > "$group/$limit_file"; then
  trap 'clean_up; rmdir "$group" 2> /dev/null' EXIT
  new_log limited 65529
  limited_log=$log
  aggregator 65529 "$limited_log"
  start supervise limited sh -c 'echo 0 > "$0/cgroup.procs" && echo 1000 > /proc/self/oom_score_adj &&
    exec "$@"' "$group" "${aggregator[@]}"
  limited_loop=$started
  more_lines "$limited_log"
  limited=$(pid_of limited)
  observer=$(pid_of observer)
  # the kernel prefers the aggregator to what fills its memory
  start sh -c 'echo 0 > "$0/cgroup.procs" && exec python3 -c "
import time
held = []
while len(held) < 512:
    held.append(b\"x\" * (1 << 20))
    time.sleep(0.002)
time.sleep(60)"' "$group"
  ballast=$started
  is_killed() { [ "$(pid_of limited)" != "$limited" ]; }
  check out_of_memory_it_is "it lives still" wait_for 20 is_killed
  more_lines "$killed_log" 4
  kill -9 "$ballast" 2> /dev/null
  wait "$ballast" 2> /dev/null
  check out_of_memory_figures_flow_again "$(tail -3 "$work/limited.err")" more_lines "$limited_log"
  check_accounts out_of_memory_accounts_hold "$limited_log" restarted
  check out_of_memory_others_live "one ended" test "$(pid_of observer)" = "$observer"
  check_accounts out_of_memory_others_accounts_hold "$observer_log"
  kill "$limited_loop"
  wait "$limited_loop" 2> /dev/null
  rmdir "$group"
else
  skip out_of_memory "no control group here to limit memory in"
fi

kill "$killed_loop" "$observer_loop" "$collector_loop"
wait "$killed_loop" "$observer_loop" "$collector_loop"
check nothing_is_left "$(ls "$run_dir")" test -z "$(ls "$run_dir")"
check no_program_is_left "$(samplers) samplers" wait_for 30 has_samplers 0
finish
