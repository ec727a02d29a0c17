# lib.bash - what the integration tests share; source it first, with the programs' directory in $1
#
# A test is one line of output: ok NAME, not ok NAME: why, skip NAME: why. Everything a test
# starts, mounts or makes is gone when it ends, however it ends.
set -uo pipefail

bin=$(realpath "${1:?directory of the built programs}") || exit 64
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
work=$(mktemp -d /dev/shm/netto-test.XXXXXX)
chmod 755 "$work"
run_dir=$work/run
failures=0
pids=()
namespaces=()

ok() { echo "ok $1"; }
not_ok() { echo "not ok $1: $2"; failures=$((failures + 1)); }
skip() { echo "skip $1: $2"; }
# check NAME WHY COMMAND...: ok when the command succeeds
check() {
  local name=$1 why=$2
  shift 2
  if "$@"; then ok "$name"; else not_ok "$name" "$why"; fi
}

# holds FILTER FILE: whether jq's answer is true. Silent: to redirect a check's output would hide its line.
holds() { jq -e "$@" > /dev/null; }

clean_up() {
  local pid name
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null; done
  for pid in "${pids[@]}"; do
    for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || break; sleep 0.05; done
    kill -9 "$pid" 2>/dev/null
  done
  wait 2>/dev/null
  for name in "${namespaces[@]}"; do ip netns del "$name" 2>/dev/null; done
  grep -o " $work[^ ]*" /proc/mounts | sort -r | while read -r mount; do umount -l "$mount"; done
  rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

need_root() { [ "$(id -u)" = 0 ] || { skip "${1:-all}" "needs root"; exit 0; }; }

# start COMMAND...: in the background, ended by clean_up; its pid in $started
start() {
  "$@" &
  started=$!
  pids+=("$started")
}

# wait_for SECONDS COMMAND...: until it succeeds
wait_for() {
  local tries=$(($1 * 20))
  shift
  for _ in $(seq "$tries"); do
    "$@" > /dev/null 2>&1 && return 0
    sleep 0.05
  done
  return 1
}

# start_netto ARGUMENT...: netto with a runtime directory of its own, once it measures; messages
# go to $work/netto.err
start_netto() {
  start "$bin/netto" --runtime-dir="$run_dir" "$@" 2> "$work/netto.err" < /dev/null
  netto=$started
  wait_for 60 test -S "$run_dir/collector.sock" && return 0
  sed 's/^/   /' "$work/netto.err"
  return 1
}

# stop_netto: end it as a user would; its exit status
stop_netto() {
  kill -TERM "$netto"
  wait "$netto"
}

# add_namespace NAME: a network namespace of this run's, its full name in $namespace
add_namespace() {
  namespace=netto-$$-$1
  ip netns add "$namespace"
  namespaces+=("$namespace")
  ip -n "$namespace" link set lo up
}
inside() { # NAME COMMAND...
  local name=netto-$$-$1
  shift
  ip netns exec "$name" "$@"
}

# Two hosts and a router between them: client 10.99.1.2 - router - server 10.99.2.2, and the
# same in fd99:1::/64 and fd99:2::/64.
topology_router() {
  local name
  for name in client router server; do add_namespace $name; done
  ip link add c0 netns netto-$$-client type veth peer name r1 netns netto-$$-router
  ip link add s0 netns netto-$$-server type veth peer name r2 netns netto-$$-router
  address client c0 10.99.1.2/24 fd99:1::2/64
  address router r1 10.99.1.1/24 fd99:1::1/64
  address router r2 10.99.2.1/24 fd99:2::1/64
  address server s0 10.99.2.2/24 fd99:2::2/64
  inside client ip route add default via 10.99.1.1
  inside client ip -6 route add default via fd99:1::1
  inside server ip route add default via 10.99.2.1
  inside server ip -6 route add default via fd99:2::1
  inside router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
}

# add_rules NAMESPACE: it filters by connections, and masquerades what leaves by r2
add_rules() {
  inside "$1" nft -f - <<'R'
table inet filter {
  chain before { type filter hook prerouting priority -10; ct state established counter; ip saddr 10.0.0.0/8 counter; }
  chain through { type filter hook forward priority 0; policy accept; ct state established counter; tcp dport 1-60000 counter; }
}
table ip nat {
  chain after { type nat hook postrouting priority 100; oifname "r2" masquerade; }
}
R
}

# Two hosts on a bridge: left 10.98.0.1, right 10.98.0.2.
topology_bridge() {
  local name
  for name in left switch right; do add_namespace $name; done
  ip link add l0 netns netto-$$-left type veth peer name b1 netns netto-$$-switch
  ip link add r0 netns netto-$$-right type veth peer name b2 netns netto-$$-switch
  inside switch ip link add br0 type bridge
  inside switch ip link set b1 master br0 up
  inside switch ip link set b2 master br0 up
  inside switch ip link set br0 up
  address left l0 10.98.0.1/24 fd98::1/64
  address right r0 10.98.0.2/24 fd98::2/64
}

address() { # NAMESPACE DEVICE IPV4 IPV6
  inside "$1" ip addr add "$3" dev "$2"
  inside "$1" ip -6 addr add "$4" dev "$2" nodad
  inside "$1" ip link set "$2" up
}

# Sums over the lines of a JSON log, as tab-separated rows "name<TAB>cpu_ns<TAB>samples".
log_contexts() { jq -rn 'reduce (inputs.contexts | to_entries[]) as $c ({}; .[$c.key].n += $c.value.cpu_ns | .[$c.key].s += $c.value.samples) | to_entries[] | [.key, .value.n, .value.s] | @tsv' "$1"; }
log_components() { jq -rn 'reduce (inputs.components[]) as $c ({}; .[$c.component].n += $c.cpu_ns | .[$c.component].s += $c.samples) | to_entries[] | [.key, .value.n, .value.s] | @tsv' "$1"; }
log_steps() { jq -rn 'reduce (inputs.rx_steps[]) as $c ({}; .[$c.step].n += $c.cpu_ns) | to_entries[] | [.key, .value.n, 0] | @tsv' "$1"; }

finish() { [ "$failures" -eq 0 ]; exit; }
