#!/usr/bin/env bash
# Each context appears where its code runs, and is not billed for the work of others. Those of plain
# sends, receives and softirqs are right.sh's.
source "$(dirname "$0")/measure.bash"
need_root contexts
load=$here/contexts.py
seconds=2

# Sum of a figure of one context: cpu_ns, events, samples
context_sum() { jq -rn --arg c "$1" --arg f "$2" '[inputs.contexts[$c][$f]] | add // 0' "$log"; }
# Share of one component in the time of one context, in %
part() { jq -rn --arg c "$1" --arg k "$2" '[inputs.components[] | select(.context == $c)] | (map(select(.component == $k).cpu_ns) | add // 0) as $part
  | (map(.cpu_ns) | add // 0) | if . == 0 then 0 else 100 * $part / . end' "$log"; }
expect_part() { # CASE CONTEXT COMPONENT: at least 1 % of that context
  check "$1_is_$3_in_$2" "$(part "$2" "$3") %" awk -v p="$(part "$2" "$3")" 'BEGIN { exit !(p >= 1) }'
}
expect_no_part() { # CASE CONTEXT COMPONENT
  check "$1_is_no_$3_in_$2" "$(part "$2" "$3") %" awk -v p="$(part "$2" "$3")" 'BEGIN { exit !(p < 0.5) }'
}
expect_exact() { # CASE CONTEXT: timed, and its events counted
  check "$1_counts_$2" "$(context_sum "$2" events) events" holds -n --arg c "$2" '[inputs.contexts[$c]] | all(.source == "exact") and (map(.events) | add) > 100' "$log"
}
# at_most CASE CONTEXT SECONDS: what the threads themselves ran, and room for the error of some 500 samples
at_most() {
  local ns
  ns=$(context_sum "$2" cpu_ns)
  check "$1_is_no_more_than_its_threads_ran" "$ns ns, they ran $3 s" awk -v n="$ns" -v s="$3" 'BEGIN { exit !(n > 0 && n <= 1.25e9 * s) }'
}
expect_little() { # CASE CONTEXT...: below 1 % of the machine each, which other programs on it may well make
  local name=$1 context percent
  shift
  for context in "$@"; do
    percent=$(awk -v n="$(context_sum "$context" cpu_ns)" -v w="$(wall_ns "$log")" 'BEGIN { printf "%.2f", 100 * n / w }')
    check "${name}_is_no_$context" "$percent % of the machine" awk -v p="$percent" 'BEGIN { exit !(p < 1) }'
  done
}
beside() { # COMMAND... + COMMAND...: both at once, the first one's status
  local first=()
  while [ "$1" != + ]; do first+=("$1"); shift; done
  shift
  start "$@"
  "${first[@]}"
}

# Threaded NAPI: the host on the right polls its device in a thread. What the thread sends crosses
# the bridge in softirqs that run inside it.
napi_seconds() { cat $(grep -lxE 'napi/r0-[0-9]+' /proc/[0-9]*/comm 2> /dev/null | sed 's/comm$/schedstat/') | awk '{ ns += $1 } END { print ns / 1e9 }'; }
topology_bridge
inside right ethtool -K r0 gro on
inside switch ethtool -K b2 tso off # what such a device sends passes its peer's NAPI
if inside right sh -c 'echo 1 > /sys/class/net/r0/threaded' 2> /dev/null; then
  before=$(napi_seconds)
  measure threaded iperf left right 10.98.0.2
  common_checks threaded
  contexts; expect threaded napi_thread softirq_rx; expect_no threaded busy_poll io_worker
  expect_part threaded softirq_rx bridge
  expect_no_part threaded napi_thread bridge
  at_most threaded napi_thread "$(awk -v a="$(napi_seconds)" -v b="$before" 'BEGIN { print a - b }')"
  inside right sh -c 'echo 0 > /sys/class/net/r0/threaded'
else
  skip threaded "this kernel has no threaded NAPI"
fi

measure busy beside inside right "$load" spin $seconds 10.98.0.2 + inside left "$load" blast $seconds 10.98.0.2
common_checks busy
contexts; expect busy busy_poll; expect_no busy napi_thread
at_most busy busy_poll "$(cat "$work/traffic.out")"

# A shaper: its watchdog raises NET_TX, and what waits in it lets TCP small queues work.
inside left tc qdisc add dev l0 root tbf rate 400mbit burst 64kb latency 20ms
measure shaped iperf left right 10.98.0.2
common_checks shaped
contexts; expect shaped softirq_tx softirq_timer; expect_exact shaped softirq_tx; expect_exact shaped softirq_timer
expect_part shaped softirq_tx qdisc
expect_part shaped softirq_timer tcp_tx
inside left tc qdisc del dev l0 root

# Broadcasts for a macvlan are handed out by a worker of the kernel.
if inside right ip link add m0 link r0 type macvlan mode bridge 2> /dev/null; then
  inside right ip link set m0 up
  measure broadcast inside left "$load" blast $seconds 10.98.0.255
  common_checks broadcast
  contexts; expect broadcast kthread softirq_rx
  expect_part broadcast kthread vdev
else
  skip broadcast "this kernel has no macvlan"
fi

add_namespace paced
inside paced sysctl -qw net.ipv4.tcp_tso_rtt_log=0 2> /dev/null # small bursts, a timer each
measure paced inside paced "$load" paced 1.5
common_checks paced
contexts; expect paced softirq_timer; expect_exact paced softirq_timer; expect_no paced softirq_tx
expect_part paced softirq_timer tcp_tx

measure delayed "$load" delayed 2
common_checks delayed
contexts; expect delayed softirq_timer
expect_part delayed softirq_timer tcp_tx

measure uring_disk beside "$bin/uring_load" worker disk 1.5 + "$bin/uring_load" sqpoll disk 1.5
expect_little uring_disk io_worker kthread syscall_other
for thread in worker sqpoll; do
  measure uring_$thread "$bin/uring_load" $thread send 1.5
  common_checks uring_$thread
  contexts; expect uring_$thread io_worker softirq_rx; expect_little uring_$thread syscall_tx syscall_rx kthread
done

add_namespace tun
measure tun inside tun "$load" tun 1.5
common_checks tun
contexts; expect tun syscall_other syscall_tx; expect_little tun kthread
expect_part tun syscall_other tap
steps; expect tun local_delivery

measure options "$load" options 1.5
common_checks options
contexts; expect options syscall_other; expect_little options syscall_tx syscall_rx softirq_rx

measure others beside "$load" timers 1.5 + "$load" pipes 1.5
expect_little others syscall_tx syscall_rx syscall_other softirq_timer softirq_rx

# Writeback beside traffic, and the disk's interrupts.
interrupts() { awk -v name="$1" '$NF ~ name { for (i = 2; $i ~ /^[0-9]+$/; i++) n += $i } END { print n + 0 }' /proc/interrupts; }
network='^(virtio[0-9]+-((input|output)[.][0-9]+|rx|tx)|(eth|en)[a-z0-9]+.*)$'
disk='^(virtio[0-9]+-req[.][0-9]+|nvme.*|ahci.*)$'
others=$(interrupts "$disk")
networks=$(interrupts "$network")
measure writeback beside "$traffic" tcp $seconds + "$traffic" disk $seconds
common_checks writeback
contexts; expect writeback syscall_tx softirq_rx; expect_no writeback kthread io_worker napi_thread
others=$(($(interrupts "$disk") - others))
networks=$(($(interrupts "$network") - networks))
if [ $others -ge 100 ]; then
  check interrupts_of_a_disk_are_not_billed "$(context_sum hardirq events) events, the network had $networks" test "$(context_sum hardirq events)" -le $networks
else
  skip interrupts_of_a_disk_are_not_billed "the disk raised $others"
fi
finish
