# preempted.bash - softirqs counted by the kernel too, while others take their CPU from them; for guest.sh
#
# On PREEMPT_RT softirqs are preempted, so a thread of high priority beside a load on one CPU stretches
# them: what it ran must not be billed to them. Elsewhere it can only wait.

# 8 of every 10 ms, without a process more
take_cpu() {
  local end
  exec 9<> <(:)
  while :; do
    end=$((${EPOCHREALTIME/./} + 8000))
    while ((${EPOCHREALTIME/./} < end)); do :; done
    read -r -t 0.002 -u 9
  done
}
net_rx_on_cpu_0() { awk '$1 == "NET_RX:" { print $2 }' /proc/softirqs; }
# What those ran until now in which the softirqs of a load on CPU 0 run, its sender aside, in ms
ran_ms() {
  cat "/proc/$server/task/"*/schedstat $(grep -lxE '(ksoftirqd|ktimers)/0' /proc/[0-9]*/comm 2> /dev/null | sed 's/comm$/schedstat/') |
    awk '{ ns += $1 } END { printf "%.0f", ns / 1e6 }'
}
# of CPU 0 in $log: cpu_ns or events of softirq_rx
of_cpu_0() { jq -rn --arg f "$1" '[inputs.per_cpu[] | select(.cpu == 0).contexts.softirq_rx[$f] // 0] | add' "$log"; }

preempted_load() {
  local ran softirqs sender
  ran=$(ran_ms) softirqs=$(net_rx_on_cpu_0)
  TIMEFORMAT='%3U %3S'
  sender=$( { time taskset 1 "$traffic" udp $seconds 127.0.0.1 5302; } 2>&1)
  echo $(($(ran_ms) - ran)) $(($(net_rx_on_cpu_0) - softirqs)) "$sender"
}

start taskset 1 "$traffic" serve 5302
server=$started
start taskset 1 chrt -f 50 bash -c "$(declare -f take_cpu); take_cpu"
hog=$started
measure preempted preempted_load
kill "$hog" "$server"
read -r ran counted user system < "$work/traffic.out"
ran=$(awk -v r="$ran" -v u="$user" -v s="$system" 'BEGIN { print r + 1000 * (u + s) }')
seen=$(of_cpu_0 events)
ms=$(($(of_cpu_0 cpu_ns) / 1000000))
echo "# preempted: $seen softirqs of $counted, $ms ms of $ran ms that the load ran"
check preempted_softirqs_are_all_counted "$seen, the kernel had $counted" \
  awk -v s="$seen" -v c="$counted" 'BEGIN { d = s - c; exit !(c > 100 && d <= c / 100 + 20 && -d <= c / 100 + 20) }'
check preempted_softirqs_are_not_billed_others_time "$ms ms in softirqs, all of the load ran $ran ms" \
  awk -v n="$ms" -v r="$ran" 'BEGIN { exit !(n > 0 && n < r) }'
