#!/usr/bin/env bash
# Neither program grows: netto with metrics and a log beside processes, network namespaces and BPF
# programs that come and go, for MINUTES. Memory and descriptors are looked at every 10 s.
#
#   tests/soak.sh MINUTES [DIRECTORY]   DIRECTORY of the built programs (build/release/bin)
#
# Prints first, last and highest of each, and ok where it grew by less than 5 % and 1 MiB after
# the first third.
minutes=${1:?how many minutes}
programs=${2:-$(dirname "$0")/../build/release/bin}
source "$(dirname "$0")/integration/lib.bash" "$programs"
need_root soak
child_of() { pgrep -P "$1" -x "$2"; }

# Everything that could be counted for good: names, pids, namespaces, programs, stacks.
churn_processes() {
  local name
  while :; do
    name=$work/bin/t$RANDOM$RANDOM
    ln -s "$(command -v sleep)" "$name"
    "$name" 0.01
    "$here/traffic.py" connect 0.2
    rm -f "$name"
  done
}
churn_namespaces() {
  local name=netto-soak-$$
  while :; do
    ip netns add $name
    ip link add soak0 type veth peer name soak1 netns $name
    ip netns exec $name ip addr add 10.97.0.2/24 dev soak1
    ip netns exec $name ip link set soak1 up
    ip addr add 10.97.0.1/24 dev soak0
    ip link set soak0 up
    ping -q -c 3 -i 0.2 10.97.0.2
    ip netns del $name
    sleep 0.5
  done > /dev/null 2>&1
}
churn_programs() {
  while :; do
    start_netto_briefly
    sleep 1
  done
}
# Another collector loads and unloads all of our programs, and its symbols.
start_netto_briefly() {
  timeout 5 "$bin/netto-collector" --runtime-dir="$work/other" --ring-size=64KiB > /dev/null 2>&1
}

# sample PROGRAM PID: a row "program rss_kib fds"
sample() {
  echo "$1 $(awk '/^VmRSS/ { print $2 }' "/proc/$2/status") $(ls "/proc/$2/fd" | wc -l)" >> "$work/samples"
}
report() {
  awk '{ n[$1]++; rss[$1, n[$1]] = $2; fds[$1, n[$1]] = $3 }
    function most(a, p, from, to,   i, m) { for (i = from; i <= to; i++) if (a[p, i] > m) m = a[p, i]; return m + 0 }
    function line(what, unit, a, p, room,   third, early, late, grown) {
      third = int((n[p] + 2) / 3)
      early = most(a, p, 1, third); late = most(a, p, third + 1, n[p]); grown = late - early
      printf "   %s %s: first %d, last %d, highest %d, after the first third %+d %s\n", p, what, a[p, 1], a[p, n[p]], most(a, p, 1, n[p]), grown, unit
      printf grown < early / 20 && grown < room ? "ok %s_of_%s_stay_flat\n" : "not ok %s_of_%s_stay_flat: see above\n", what, p
    }
    END { for (p in n) { line("kilobytes", "KiB", rss, p, 1024); line("descriptors", "", fds, p, 2) } }' "$work/samples"
}

mkdir -p "$work/bin" "$work/other"
start_netto --log-file="$work/log.json" --prometheus=127.0.0.1:0 || { not_ok soak "netto did not start"; finish; }
wait_for 20 child_of "$netto" netto-aggregato
collector=$(child_of "$netto" netto-collector)
aggregator=$(child_of "$netto" netto-aggregato)
address=$(sed -n 's|.*http://\([^ ]*\)/metrics.*|\1|p' "$work/netto.err")
for load in churn_processes churn_namespaces churn_programs; do start $load; done
start nice -n 5 "$here/traffic.py" udp $((minutes * 60))
start nice -n 5 "$here/traffic.py" tcp $((minutes * 60))

sleep 10   # until everything was touched once
for _ in $(seq $((minutes * 6))); do
  curl -sS --max-time 5 "http://$address/metrics" > "$work/page"
  sample collector "$collector"
  sample aggregator "$aggregator"
  : > "$work/log.json"   # a day of lines is not what is tested
  sleep 10
done
report > "$work/report"
cat "$work/report"
failures=$(grep -c '^not ok' "$work/report")
check both_still_run "one ended: $(tail -3 "$work/netto.err")" kill -0 "$collector" "$aggregator"
check the_page_still_comes "$(head -c 200 "$work/page")" grep -q '^netto_collector_up 1$' "$work/page"
stop_netto
ip netns del "netto-soak-$$" 2> /dev/null
finish
