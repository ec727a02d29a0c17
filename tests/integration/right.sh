#!/usr/bin/env bash
# What netto says of traffic that this test makes: the named components and steps are there, those
# not exercised are not, the sums hold, other load adds nothing.
source "$(dirname "$0")/measure.bash"
need_root right
seconds=4

netfilter="conntrack nat nf_prerouting nf_input nf_forward nf_output nf_postrouting"

measure tcp4 "$traffic" tcp $seconds
common_checks tcp4
components; expect tcp4 tcp_tx tcp_rx virtual_xmit; expect_no tcp4 udp_tx udp_rx bridge forwarding tunnel xdp_generic tc_ingress ipsec
steps; expect tcp4 local_delivery; expect_no tcp4 forwarding bridge xdp_generic tc_ingress
contexts; expect tcp4 softirq_rx syscall_tx syscall_rx; expect_no tcp4 napi_thread busy_poll kthread io_worker

measure tcp6 "$traffic" tcp $seconds ::1
common_checks tcp6
check tcp6_is_told_from_ipv4 "local delivery is not mostly ipv6" holds -n '
  [inputs.rx_steps[] | select(.step == "local_delivery")] | (map(select(.family == "ipv6").cpu_ns) | add) > 0.9 * (map(.cpu_ns) | add)' "$log"

measure udp4 "$traffic" udp $seconds
common_checks udp4
components; expect udp4 udp_tx udp_rx virtual_xmit ip_output; expect_no udp4 tcp_rx tcp_tx bridge forwarding
contexts; expect udp4 softirq_rx syscall_tx syscall_rx

measure connect "$traffic" connect $seconds
common_checks connect
components; expect connect tcp_conn tcp_rx tcp_tx socket; expect_no connect udp_rx udp_tx bridge forwarding
contexts; expect connect syscall_other softirq_rx

for kind in sendfile splice; do
  measure $kind "$traffic" $kind $seconds
  common_checks $kind
  contexts; expect $kind syscall_tx softirq_rx
done

measure unix "$traffic" unix $seconds
common_checks unix
components; expect unix unix; expect_no unix tcp_tx tcp_rx udp_tx

topology_router
add_rules router
measure forward iperf client server 10.99.2.2
common_checks forward
components; expect forward conntrack nf_forward ip_output virtual_xmit tcp_rx; expect_no forward bridge xdp_generic udp_rx
steps; expect forward forwarding local_delivery; expect_no forward bridge xdp_generic
measure forward6 iperf client server fd99:2::2
common_checks forward6
check forward6_is_told_from_ipv4 "forwarding is not mostly ipv6" holds -n '
  [inputs.rx_steps[] | select(.step == "forwarding")] | (map(select(.family == "ipv6").cpu_ns) | add) > 0.9 * (map(.cpu_ns) | add)' "$log"
inside router nft flush ruleset

topology_bridge
measure bridge iperf left right 10.98.0.2
common_checks bridge
components; expect bridge bridge tcp_rx virtual_xmit; expect_no bridge forwarding xdp_generic
steps; expect bridge bridge local_delivery; expect_no bridge forwarding xdp_generic tc_ingress

inside right tc qdisc add dev r0 clsact
for prio in $(seq 8); do
  inside right tc filter add dev r0 ingress prio "$prio" protocol ip u32 match ip dport "$prio" 0xffff flowid 1:1
done
measure tc iperf left right 10.98.0.2 -M 536
common_checks tc
components; expect tc tc_ingress bridge
steps; expect tc tc_ingress
inside right tc qdisc del dev r0 clsact

if command -v clang > /dev/null; then
  printf '%s\n' '#define SEC(n) __attribute__((section(n), used))' 'SEC("xdp") int pass(void *ctx) { return 2; }' 'char _license[] SEC("license") = "GPL";' > "$work/pass.c"
  clang -O2 -target bpf -c "$work/pass.c" -o "$work/pass.o"
  inside right ip link set dev r0 xdpgeneric obj "$work/pass.o" sec xdp
  measure xdp iperf left right 10.98.0.2 -M 536
  common_checks xdp
  components; expect xdp xdp_generic
  steps; expect xdp xdp_generic
  inside right ip link set dev r0 xdpgeneric off
else
  skip xdp "needs clang"
fi

# Load that is none of the network's, on top of nothing and on top of traffic.
for kind in disk fork; do
  measure $kind "$traffic" $kind $seconds
  percent=$(awk -v n="$(network_ns "$log")" -v w="$(wall_ns "$log")" 'BEGIN { printf "%.2f", 100 * n / w }')
  check "${kind}_load_is_not_network" "$percent % of the machine" awk -v p="$percent" 'BEGIN { exit !(p < 1) }'
done

# A softirq on an idle CPU: packets that RPS sends to the other one.
if [ "$(nproc)" -ge 2 ]; then
  inside right sh -c 'echo 2 > /sys/class/net/r0/queues/rx-0/rps_cpus'
  start inside right taskset -c 0 iperf3 -s -1 -p 5301 > /dev/null
  wait_for 5 inside right sh -c 'ss -ltn | grep -q :5301'
  measure idle inside left taskset -c 0 iperf3 -c 10.98.0.2 -p 5301 -t $seconds -u -b 20M -l 100
  check softirq_on_an_idle_cpu_is_sampled "$(jq -cn '[inputs.contexts.softirq_rx] | map(.samples) | add' "$log") samples" holds -n '
    [inputs] | (map(.per_cpu[] | select(.cpu == 1).contexts.softirq_rx.cpu_ns // 0) | add) > 1e8 and (map(.contexts.softirq_rx.samples) | add) > 50' "$log"
else
  skip softirq_on_an_idle_cpu_is_sampled "needs two CPUs"
fi
finish
