# cases.bash - traffic of tests/accuracy/run.sh: case_NAME sets it up and leaves it running
#
# A case that this machine cannot do says so in its last line of output and returns 1.
wanted=(tcp udp short ipv6 nat xdp tc)
other=(vxlan macvlan htb mirred iptables bridge_rules threaded busy_poll rps fragments udp6 multicast ping
  capture tun mptcp unix http sendfile splice netlink udp_gso zerocopy cgroup_bpf paced)
all_cases=("${wanted[@]}" "${other[@]}")
traffic="$here/traffic.py"
more="$own/traffic.py"

# server NAMESPACE [OPTION...]: an iperf3 server there, once it listens
server() {
  local name=$1
  shift
  start_inside "$name" iperf3 -s -p 5301 "$@" > /dev/null
  wait_for 5 inside "$name" sh -c 'ss -ltn | grep -q :5301'
}
# stream FROM TO ADDRESS OPTION...: iperf3 for as long as the case lasts
stream() {
  local from=$1 to=$2 address=$3
  shift 3
  server "$to"
  start_inside "$from" iperf3 -c "$address" -p 5301 -t 3600 "$@" > /dev/null
}
# start_inside NAMESPACE COMMAND...: so that the pid is the command's, not a shell's around it
start_inside() {
  local name=netto-$$-$1
  shift
  start ip netns exec "$name" "$@"
}
solo() { add_namespace solo; start_inside solo "$@"; }

case_tcp() { add_namespace solo; stream solo solo 127.0.0.1; }
case_paced() { add_namespace solo; stream solo solo 127.0.0.1 -u -b 300M -l 1400; }
case_udp() { solo "$traffic" udp 3600; }
case_short() { solo "$traffic" connect 3600; }
case_ipv6() { topology_router; stream client server fd99:2::2; }

# left and right on a bridge that filters what it bridges, and routes and masquerades to a server
case_nat() {
  topology_bridge
  add_namespace server
  ip link add s0 netns netto-$$-server type veth peer name r2 netns netto-$$-switch
  address server s0 10.97.0.2/24 fd97::2/64
  address switch r2 10.97.0.1/24 fd97::1/64
  address switch br0 10.98.0.254/24 fd98::fe/64
  inside left ip route add default via 10.98.0.254
  inside switch sysctl -qw net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=1
  add_rules switch || return
  stream left server 10.97.0.2
  stream left right 10.98.0.2
}
case_xdp() {
  topology_bridge
  printf '%s\n' '#define SEC(n) __attribute__((section(n), used))' 'SEC("xdp") int pass(void *ctx) { return 2; }' 'char _license[] SEC("license") = "GPL";' > "$work/pass.c"
  clang -O2 -target bpf -c "$work/pass.c" -o "$work/pass.o"
  inside right ip link set dev r0 xdpgeneric obj "$work/pass.o" sec xdp || return
  stream left right 10.98.0.2 -M 536
}
case_tc() {
  topology_bridge
  inside right tc qdisc add dev r0 clsact
  for prio in $(seq 8); do
    inside right tc filter add dev r0 ingress prio "$prio" protocol ip u32 match ip dport "$prio" 0xffff flowid 1:1
  done
  stream left right 10.98.0.2 -M 536
}

case_vxlan() {
  topology_router
  inside client ip link add vx0 type vxlan id 7 dstport 4789 remote 10.99.2.2 local 10.99.1.2
  inside server ip link add vx0 type vxlan id 7 dstport 4789 remote 10.99.1.2 local 10.99.2.2
  address client vx0 10.96.0.1/24 fd96::1/64
  address server vx0 10.96.0.2/24 fd96::2/64
  stream client server 10.96.0.2
}
case_macvlan() {
  topology_bridge
  inside right ip link add mv0 link r0 type macvlan mode bridge
  address right mv0 10.98.0.3/24 fd98::3/64
  stream left right 10.98.0.3
}
case_htb() {
  topology_router
  inside client tc qdisc add dev c0 root handle 1: htb default 1
  inside client tc class add dev c0 parent 1: classid 1:1 htb rate 2gbit
  inside router tc qdisc add dev r2 root tbf rate 1gbit burst 1m latency 20ms
  stream client server 10.99.2.2
}
case_mirred() {
  topology_bridge
  inside switch ip link add d0 type veth peer name d1
  inside switch ip link set d0 up
  inside switch tc qdisc add dev b1 clsact
  inside switch tc filter add dev b1 ingress protocol ip u32 match u32 0 0 flowid 1:1 \
    action mirred egress mirror dev d0 || return
  stream left right 10.98.0.2
}
case_iptables() {
  topology_router
  for chain in PREROUTING FORWARD POSTROUTING; do
    for port in $(seq 10); do
      inside router iptables-legacy -t mangle -A $chain -p tcp --dport "$port" -j ACCEPT || return
    done
  done
  inside router iptables-legacy -t nat -A POSTROUTING -o r2 -j MASQUERADE
  inside server iptables-legacy -A INPUT -m conntrack --ctstate INVALID -j DROP
  stream client server 10.99.2.2
}
case_bridge_rules() {
  topology_bridge
  inside switch nft -f - <<'R' || return
table bridge filter {
  chain pre { type filter hook prerouting priority 0; ether type ip counter; }
  chain through { type filter hook forward priority 0; ip protocol tcp counter; tcp dport 1-100 counter; }
}
R
  inside right nft -f - <<'R' || return
table netdev in {
  chain i { type filter hook ingress device "r0" priority 0; ip protocol tcp counter; tcp dport 1-100 counter; }
}
R
  stream left right 10.98.0.2 -M 536
}
case_threaded() {
  topology_bridge
  for host in left:l0 right:r0; do
    inside "${host%:*}" ethtool -K "${host#*:}" gro on
    inside "${host%:*}" sh -c "echo 1 > /sys/class/net/${host#*:}/threaded" || return
  done
  inside switch ethtool -K b1 tso off # what such a device sends passes its peer's NAPI
  inside switch ethtool -K b2 tso off
  stream left right 10.98.0.2
}
case_busy_poll() {
  topology_bridge
  for host in left:l0 right:r0; do inside "${host%:*}" ethtool -K "${host#*:}" gro on; done
  start_inside right "$more" echo 3600 10.98.0.2 busy
  sleep 1
  start_inside left "$more" ask 3600 10.98.0.2 busy
}
case_rps() {
  topology_bridge
  inside right sh -c 'echo 3 > /sys/class/net/r0/queues/rx-0/rps_cpus' || return
  stream left right 10.98.0.2 -P 4
}
case_fragments() { topology_router; stream client server 10.99.2.2 -u -b 0 -l 8000; }
case_udp6() { solo "$traffic" udp 3600 ::1; }
case_multicast() {
  topology_bridge
  start_inside right "$more" multicast_read 3600 10.98.0.2
  sleep 1
  start_inside left "$more" multicast 3600 10.98.0.1
}
case_ping() { topology_router; start_inside client ping -f -s 100 -w 3600 10.99.2.2 > /dev/null; start_inside client ping -f -w 3600 fd99:2::2 > /dev/null; }
case_capture() {
  topology_bridge
  start_inside right "$more" capture 3600 r0
  stream left right 10.98.0.2 -b 0
}
case_tun() { add_namespace solo; start_inside solo "$more" tun 3600; }
case_mptcp() { add_namespace solo; inside solo sysctl -qw net.mptcp.enabled=1 || return; start_inside solo "$more" mptcp 3600; }
case_unix() { solo "$traffic" unix 3600; start "$more" unix_messages 3600; }
case_http() { add_namespace solo; start_inside solo "$more" http 3600; }
case_sendfile() { solo "$traffic" sendfile 3600; }
case_splice() { solo "$traffic" splice 3600; }
case_netlink() { topology_router; start_inside router sh -c 'while :; do ss -tan; ip route; ip -s link; ip neigh; done > /dev/null'; }
case_udp_gso() { topology_router; start_inside server "$more" udp_sink 3600 10.99.2.2; sleep 1; start_inside client "$more" udp_gso 3600 10.99.2.2; }
case_zerocopy() { topology_router; stream client server 10.99.2.2 -Z -P 2; }
case_cgroup_bpf() {
  local group=/sys/fs/cgroup/unified/netto-$$
  [ -d /sys/fs/cgroup/unified ] || group=/sys/fs/cgroup/netto-$$
  mkdir "$group" || return
  printf '%s\n' '#define SEC(n) __attribute__((section(n), used))' 'SEC("cgroup/skb") int pass(void *ctx) { return 1; }' 'char _license[] SEC("license") = "GPL";' > "$work/cgroup.c"
  clang -O2 -target bpf -c "$work/cgroup.c" -o "$work/cgroup.o"
  mkdir "$work/bpf" && mount -t bpf none "$work/bpf" || return
  bpftool prog load "$work/cgroup.o" "$work/bpf/pass" type cgroup/skb || return
  for way in ingress egress; do bpftool cgroup attach "$group" $way pinned "$work/bpf/pass" || return; done
  start sh -c "echo \$\$ > $group/cgroup.procs && exec $traffic udp 3600"
  end_commands+=("bpftool cgroup detach $group ingress pinned $work/bpf/pass"
    "bpftool cgroup detach $group egress pinned $work/bpf/pass" "rmdir $group")
}
