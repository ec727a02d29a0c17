#!/usr/bin/env bash
# What netto says of traffic that this test makes: the named components and steps are there, those
# not exercised are not, the sums hold, other load adds nothing.
source "$(dirname "$0")/lib.bash"
need_root right
seconds=4

# measure CASE COMMAND...: log of netto while COMMAND runs, in $log; lines from before it are cut
measure() {
  local name=$1
  shift
  log=$work/$name.json
  start_netto -l "$log" || { not_ok "$name" "netto did not start"; return 1; }
  wait_for 20 test -s "$log"
  "$@" > "$work/traffic.out" 2>&1 || not_ok "${name}_traffic" "$(tail -c 300 "$work/traffic.out")"
  stop_netto
  sed -i 1d "$log"
}

# every line: components and steps add up to their context, contexts fit the machine
sums_hold() {
  jq -en '[inputs | . as $line
    | (reduce .components[] as $c ({}; .[$c.context] += $c.cpu_ns)) as $k
    | (reduce .rx_steps[] as $s ({}; .[$s.context] += $s.cpu_ns)) as $t
    | (.contexts | to_entries[] | select(.value.cpu_ns != ($k[.key] // 0) or .value.cpu_ns != ($t[.key] // 0))),
      (select(([.contexts[].cpu_ns] | add) > .period_ns * .cpus))] == []' "$1" > /dev/null
}
records_add_up() {
  jq -en '[inputs | select(.delivered + .lost.ring_overrun + .lost.decode != .last_seq - .first_seq + 1)] == []' "$1" > /dev/null
}

# expect CASE NAMES...: each has a share of the network time that chance does not give, in the rows of $work/rows
share() { awk -F'\t' -v name="$1" '{ all += $2 } $1 == name { n += $2 } END { printf "%.3f", all ? 100 * n / all : 0 }' "$work/rows"; }
expect() {
  local name=$1 what
  shift
  for what in "$@"; do
    check "${name}_shows_$what" "$(share "$what") % of network time" awk -v s="$(share "$what")" 'BEGIN { exit !(s >= 0.05) }'
  done
}
# expect_no CASE NAMES...: each is below noise
expect_no() {
  local name=$1 what
  shift
  for what in "$@"; do
    check "${name}_shows_no_$what" "$(share "$what") % of network time" awk -v s="$(share "$what")" 'BEGIN { exit !(s < 0.5) }'
  done
}
unexplained_is_low() { # CASE
  local percent
  percent=$(jq -rn 'reduce (inputs.contexts[]) as $c ({s: 0, u: 0}; .s += $c.samples | .u += $c.unexplained) | if .s == 0 then 100 else 100 * .u / .s end' "$log")
  check "$1_is_explained" "$percent % of samples unexplained" awk -v p="$percent" 'BEGIN { exit !(p <= 5) }'
}
common_checks() { # CASE
  check "$1_sums_hold" "a line does not add up" sums_hold "$log"
  check "$1_records_add_up" "delivered + lost is not last - first + 1" records_add_up "$log"
  unexplained_is_low "$1"
}
components() { log_components "$log" > "$work/rows"; }
steps() { log_steps "$log" > "$work/rows"; }
contexts() { log_contexts "$log" > "$work/rows"; }
iperf() { # NAMESPACE-OF-CLIENT NAMESPACE-OF-SERVER ADDRESS OPTION...
  local client=$1 server=$2 address=$3
  shift 3
  start inside "$server" iperf3 -s -1 -p 5301 > /dev/null
  wait_for 5 inside "$server" sh -c 'ss -ltn | grep -q :5301'
  inside "$client" iperf3 -c "$address" -p 5301 -t $seconds "$@"
}
netfilter="conntrack nat nf_prerouting nf_input nf_forward nf_output nf_postrouting"

traffic="$here/traffic.py"
measure tcp4 "$traffic" tcp $seconds
common_checks tcp4
components; expect tcp4 tcp_tx tcp_rx virtual_xmit; expect_no tcp4 udp_tx udp_rx bridge forwarding tunnel xdp_generic tc_ingress ipsec
steps; expect tcp4 local_delivery; expect_no tcp4 forwarding bridge xdp_generic tc_ingress
contexts; expect tcp4 softirq_rx syscall_tx syscall_rx; expect_no tcp4 napi_thread busy_poll kthread io_worker

measure tcp6 "$traffic" tcp $seconds ::1
common_checks tcp6
check tcp6_is_told_from_ipv4 "local delivery is not mostly ipv6" jq -en '
  [inputs.rx_steps[] | select(.step == "local_delivery")] | (map(select(.family == "ipv6").cpu_ns) | add) > 0.9 * (map(.cpu_ns) | add)' "$log" > /dev/null

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
inside router nft -f - <<'R'
table inet filter {
  chain before { type filter hook prerouting priority -10; ct state established counter; ip saddr 10.0.0.0/8 counter; }
  chain through { type filter hook forward priority 0; policy accept; ct state established counter; tcp dport 1-60000 counter; }
}
table ip nat {
  chain after { type nat hook postrouting priority 100; oifname "r2" masquerade; }
}
R
measure forward iperf client server 10.99.2.2
common_checks forward
components; expect forward conntrack nf_forward ip_output virtual_xmit tcp_rx; expect_no forward bridge xdp_generic udp_rx
steps; expect forward forwarding local_delivery; expect_no forward bridge xdp_generic
measure forward6 iperf client server fd99:2::2
common_checks forward6
check forward6_is_told_from_ipv4 "forwarding is not mostly ipv6" jq -en '
  [inputs.rx_steps[] | select(.step == "forwarding")] | (map(select(.family == "ipv6").cpu_ns) | add) > 0.9 * (map(.cpu_ns) | add)' "$log" > /dev/null
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
network_ns() { jq -rn '[inputs.contexts[].cpu_ns] | add' "$1"; }
wall_ns() { jq -rn '[inputs | .period_ns * .cpus] | add' "$1"; }
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
  check softirq_on_an_idle_cpu_is_sampled "$(jq -cn '[inputs.contexts.softirq_rx] | map(.samples) | add' "$log") samples" jq -en '
    [inputs] | (map(.per_cpu[] | select(.cpu == 1).contexts.softirq_rx.cpu_ns // 0) | add) > 1e8 and (map(.contexts.softirq_rx.samples) | add) > 50' "$log" > /dev/null
else
  skip softirq_on_an_idle_cpu_is_sampled "needs two CPUs"
fi
finish
