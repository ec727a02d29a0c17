#!/usr/bin/env bash
# guest.sh - the tests of one kernel, run by init in its guest
#
#   guest.sh PROGRAMS
#
# Only counts are compared: an emulated machine's clock says nothing. One netto measures all loads,
# as one would that runs for months, and modules come while it does. What its log must say is judged
# outside, by judge.sh.
mkdir -p /tmp/results
here_vm=$(realpath "$(dirname "$0")")
source "$here_vm/../integration/lib.bash"
echo "# $(uname -r), up after $(cut -d' ' -f1 /proc/uptime) s"
all=/tmp/results/log.json
page=/tmp/results/metrics
seconds=3
traffic=$bin/vm_traffic

lines() { wc -l < "$all"; }
has_lines() { [ "$(lines)" -ge "$1" ]; }
# Whatever happened until now is in the log, and nothing that comes is in its last line.
settle() { wait_for 60 has_lines $(($(lines) + 2)); }

# measure CASE COMMAND...: notes which lines of the log tell of it; they are in $log too
measure() {
  local name=$1 before after
  shift
  settle
  before=$(lines)
  "$@" > "$work/traffic.out" 2>&1 || not_ok "${name}_traffic" "$(tail -c 300 "$work/traffic.out")"
  settle
  after=$(lines)
  log=$work/case.json
  sed -n "$((before + 1)),${after}p" "$all" > "$log"
  echo "$name $before $after $(cut -d' ' -f1 /proc/uptime)" >> /tmp/results/cases
}
# The table of symbols is some ten megabytes: looked at once in two seconds, for more than a minute.
names_modules() {
  local pattern
  pattern=$(printf '|%s' "$@")
  [ "$(grep -oE "\[(${pattern#|})\]\$" "$run_dir/symbols" | sort -u | wc -l)" = $# ]
}
wait_named() { # COMMAND...
  for _ in $(seq 45); do
    "$@" && return
    sleep 2
  done
  return 1
}
names_program() { grep -qE " t bpf_prog_[0-9a-f]+_$1" "$run_dir/symbols"; }
serve() { # NAMESPACE [PORT]
  start inside "$1" "$traffic" serve "${2:-5301}"
  wait_for 20 inside "$1" sh -c "netstat -ltn | grep -q :${2:-5301}"
}

## The two programs as they start

# The socket probes by themselves: the programs send and receive too.
timeout 300 "$bin/sockets_exact" "$bin/calls" counts > "$work/out" 2>&1 || grep -q '^not ok' "$work/out" || not_ok sockets_exact "status $?"
cat "$work/out"
failures=$((failures + $(grep -c '^not ok' "$work/out")))
start_netto -l "$all" -P || { not_ok starts "netto did not start"; exit 1; }
ok starts
sed 's/^/# /' "$work/netto.err"
wait_for 60 test -s "$all" || { not_ok gives_json "no line in a minute"; exit 1; }
fetch_page() { wget -qO "$page" http://127.0.0.1:24040/metrics; }
check gives_metrics "no page on port 24040" wait_for 20 fetch_page
# From the kernel's command line, which leaves what it does not know to init's environment.
[ -z "${VM_STACKS:-}" ] || start "$bin/list_stacks" "$run_dir" > /tmp/results/stacks
lister=$started

# sealed: every thread of the collector, by the kernel's own words
sealed() {
  local status
  for status in /proc/"$(pidof netto-collector)"/task/*/status; do
    awk '/^Uid:|^Gid:/ { for (i = 2; i <= 5; i++) if ($i != 65533) exit 1 }
      /^Cap/ && $2 !~ /^0+$/ { exit 1 }
      /^NoNewPrivs:/ && $2 != 1 { exit 1 }
      /^Seccomp:/ && $2 != 2 { exit 1 }' "$status" || { cat "$status"; return 1; }
  done
}
check collector_has_no_privilege "see its status above" sealed
# What this kernel's seccomp and Landlock do: the unit tests, here; what it lacks they skip.
for name in filter aggregator_sandbox; do
  "$bin/test_$name" > "$work/$name.out" 2>&1
  status=$?
  sed -n 's/^/# /p' "$work/$name.out" | grep -E 'OK|SKIP|FAIL|rror'
  check "sandbox_holds_by_test_$name" "see above" test $status -eq 0
done
no_landlock=$(grep -c 'no Landlock' "$work/netto.err")
wanted=0   # else one line of each of the two programs
[[ $(uname -r) != 5.10.* ]] || wanted=2
check landlock_is_used_where_it_is "$(cat "$work/netto.err")" test "$no_landlock" = $wanted

## What the later loads need, and with it modules that nobody knew at the start

topology_router
add_rules router
serve server
topology_bridge
serve right
for module in cls_u32 sch_ingress sch_tbf pktgen dummy; do modprobe $module; done

## Counts against the kernel's own, over the loads up to those of the network cards

echo "# measuring after $(cut -d' ' -f1 /proc/uptime) s"
softirqs() { awk -v name="$1:" '$1 == name { for (i = 2; i <= NF; i++) n += $i } END { print n + 0 }' /proc/softirqs; }
# Names and virtio devices of the two network cards, and the interrupts of devices.
list_cards() { for card in /sys/class/net/*/device; do echo "$(basename "${card%/device}") $(basename "$(realpath "$card")")"; done; }
read -r near near_device far far_device <<< "$(list_cards | tr '\n' ' ')"
cards="($near_device|$far_device)-(input|output)"
interrupts() { awk -v device="^$1" '$NF ~ device { n += $2 + $3 } END { print n + 0 }' /proc/interrupts; }
settle
of_cards=$(interrupts "$cards")
count_from=$(lines) net_rx=$(softirqs NET_RX) net_tx=$(softirqs NET_TX)

## Loopback

start "$traffic" serve 5301
measure tcp4 "$traffic" tcp $seconds 127.0.0.1 5301
measure udp4 "$traffic" udp $seconds 127.0.0.1 5301
measure connections "$traffic" connections $seconds 127.0.0.1 5301
measure sendfile "$traffic" sendfile $seconds 127.0.0.1 5301
measure paced "$traffic" paced $seconds 127.0.0.1 5301

grep -q PREEMPT_RT /proc/version && source "$here_vm/preempted.bash"

## Namespaces

# Reading kallsyms takes long here, and the collector does so the less often.
check modules_are_named "not in the table" wait_named names_modules veth nf_tables nf_conntrack nf_nat bridge dummy
rmmod dummy
modprobe macvlan
measure forward inside client "$traffic" tcp $seconds 10.99.2.2 5301
measure forward6 inside client "$traffic" tcp $seconds fd99:2::2 5301

measure bridge inside left "$traffic" udp $seconds 10.98.0.2 5301
inside right tc qdisc add dev r0 clsact
for prio in $(seq 8); do
  inside right tc filter add dev r0 ingress prio "$prio" protocol ip u32 match ip dport "$prio" 0xffff flowid 1:1
done
inside right ip link set dev r0 xdpgeneric obj "$here_vm/pass.bpf.o" sec xdp
measure tc_xdp inside left "$traffic" udp $seconds 10.98.0.2 5301
inside right tc qdisc del dev r0 clsact
inside right ip link set dev r0 xdpgeneric off
inside left tc qdisc add dev l0 root tbf rate 40mbit burst 16kb latency 50ms
measure queued inside left "$traffic" tcp $seconds 10.98.0.2 5301
inside left tc qdisc del dev l0 root

## Two virtio network cards on one cable, one of them in a namespace

add_namespace far
ip link set "$far" netns "$namespace"
ip addr add 10.97.0.1/24 dev "$near"
ip link set "$near" up
inside far ip addr add 10.97.0.2/24 dev "$far"
inside far ip link set "$far" up
serve far
measure virtio "$traffic" udp $seconds 10.97.0.2 5301
{
  echo "softirq_rx $count_from $(lines) $(($(softirqs NET_RX) - net_rx))"
  echo "softirq_tx $count_from $(lines) $(($(softirqs NET_TX) - net_tx))"
  echo "hardirq $count_from $(lines) $(($(interrupts "$cards") - of_cards))"
} >> /tmp/results/counts

disk=$(basename "$(realpath /sys/block/vda/device)")-
disk_interrupts=$(interrupts "$disk")
measure disk dd if=/dev/vda of=/dev/null bs=4k count=1000 iflag=direct
echo "disk $(($(interrupts "$disk") - disk_interrupts))" >> /tmp/results/counts

## Contexts that a feature brings

# threaded 0|1: whether both cards poll in threads; kernels before 5.12 cannot
threaded() {
  echo "$1" > "/sys/class/net/$near/threaded"
  inside far sh -c "echo $1 > /sys/class/net/$far/threaded"
}
[ ! -e "/sys/class/net/$near/threaded" ] || threaded 1
measure threaded "$traffic" udp $seconds 10.97.0.2 5301
[ ! -e "/sys/class/net/$near/threaded" ] || threaded 0
sysctl -qw net.core.busy_read=50
serve far 5302
measure busy "$traffic" udp $seconds 10.97.0.2 5302
sysctl -qw net.core.busy_read=0

# Modules and programs that come and go: named soon after, and still named when they went.
check next_module_is_named "not in the table" wait_named names_modules macvlan
check module_that_went_keeps_its_name "not in the table" names_modules dummy
inside right ip link set dev r0 xdpgeneric obj "$here_vm/pass.bpf.o" sec xdp
check program_is_named "not in the table" wait_named names_program pass
inside right ip link set dev r0 xdpgeneric off

# A kernel thread that sends.
generate() {
  echo "add_device $near" > /proc/net/pktgen/kpktgend_0
  printf 'count 0\nclone_skb 0\npkt_size 60\ndst 10.97.0.2\n' | while read -r line; do echo "$line" > "/proc/net/pktgen/$near"; done
  timeout $seconds sh -c 'echo start > /proc/net/pktgen/pgctrl'
  echo rem_device_all > /proc/net/pktgen/kpktgend_0
}
measure kthread generate

echo "# measured after $(cut -d' ' -f1 /proc/uptime) s"
if [ -n "${VM_STACKS:-}" ]; then
  kill "$lister"
  wait "$lister"
fi

## The clock is set, an hour on and back

step() { date -s "@$(($(date +%s) + $1))" && "$traffic" udp 1 127.0.0.1 5301; }
page=/tmp/results/metrics.before fetch_page
measure clock_forth step 3600
measure clock_back step -3600
page=/tmp/results/metrics.after fetch_page

## A processor goes and comes

restarted() { local now; now=$(pidof netto-collector) && [ "$now" != "$collector" ] && [ -S "$run_dir/collector.sock" ]; }
says_cpus() { tail -1 "$all" | jq -e ".cpus == $1" > /dev/null; }
for online in 0 1; do
  collector=$(pidof netto-collector)
  echo $online > /sys/devices/system/cpu/cpu1/online
  check "collector_starts_anew_when_a_cpu_$([ $online = 1 ] && echo comes || echo goes)" "still $(pidof netto-collector): $(tail -1 "$work/netto.err")" \
    wait_for 90 restarted
  check "measures_on_$((online + 1))_cpus" "see the log" wait_for 60 says_cpus $((online + 1))
done
# Off and on at once, so that no look at the CPUs comes between: only what is counted tells.
uptime_ms() { tr -d . < /proc/uptime | awk '{ print $1 * 10 }'; }
start "$bin/netto-collector" --period=10000 --runtime-dir="$work/blink" 2> "$work/blink.err"
blink=$started
wait_for 90 test -S "$work/blink/collector.sock"
collector=$(pidof netto-collector | tr " " "\n" | grep -vx "$blink") from=$(uptime_ms)
for online in 0 1; do echo $online > /sys/devices/system/cpu/cpu1/online; done
took=$(($(uptime_ms) - from))
wait "$blink"
status=$?
check collector_ends_when_a_cpu_was_off_within_a_period "status $status: $(cat "$work/blink.err")" test $status = 75
check the_cpu_was_off_within_a_period "$took ms" test $took -lt 10000
check collector_starts_anew_when_a_cpu_was_off "still $collector" wait_for 90 restarted

## The end

inside right ip link set dev r0 xdp off 2>/dev/null
check has_bpf_programs "none while it runs" test -n "$(bpftool prog list)"
stop_netto
check stops_clean "exit status $?" test $? = 0
check runtime_dir_is_gone "$(ls "$run_dir" 2>&1)" test ! -e "$run_dir"
no_programs() { [ -z "$(bpftool prog list)" ]; }
check no_bpf_program_is_left "$(bpftool prog list | head -3)" wait_for 30 no_programs
cp "$work/netto.err" /tmp/results
finish
