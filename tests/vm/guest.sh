#!/usr/bin/env bash
# guest.sh - the tests of one kernel, run by init in its guest
#
#   guest.sh PROGRAMS
#
# Only counts are compared: an emulated machine's clock says nothing. One netto measures all loads,
# as one would that runs for months; what each kernel must show stands in expected.tsv.
mkdir -p /tmp/results
here_vm=$(realpath "$(dirname "$0")")
source "$here_vm/../integration/measure.bash"
kernel=$(sed -n 's/.*netto.kernel=\([^ ]*\).*/\1/p' /proc/cmdline)
all=/tmp/results/log.json
page=/tmp/results/metrics
seconds=3
traffic=$bin/vm_traffic

# expected KIND: "name<TAB>want" of this kernel
expected() {
  awk -F'\t' -v kernel="$kernel" -v kind="$1" '$2 != kind { next }
    $1 == kernel { own[$3] = $4 } $1 == "all" { any[$3] = $4 }
    END { for (n in any) if (!(n in own)) own[n] = any[n]; for (n in own) print n "\t" own[n] }' \
    "$here_vm/expected.tsv" | sort
}

# measure CASE COMMAND...: the lines of the log while COMMAND ran, in $log; an aggregator of its own,
# since shares come from up to a minute of samples
measure() {
  local name=$1
  shift
  log=$work/$name.json
  start setpriv --regid=65533 --clear-groups "$bin/netto-aggregator" --runtime-dir="$run_dir" --allow-root --log-file="$log" 2> "$work/aggregator.err"
  wait_for 30 test -s "$log" || { not_ok "$name" "no line: $(cat "$work/aggregator.err")"; return 1; }
  "$@" > "$work/traffic.out" 2>&1 || not_ok "${name}_traffic" "$(tail -c 300 "$work/traffic.out")"
  sleep 0.6
  kill "$started"
  wait "$started"
  sed -i 1d "$log"
  contexts
  awk -F'\t' -v name="$name" '{ all += $3; if ($3) text = text " " $1 " " $3 }
    END { print "# " name ": " all + 0 " samples:" text }' "$work/rows"
}
serve() { start inside "$1" "$traffic" serve 5301; wait_for 10 inside "$1" sh -c 'netstat -ltn | grep -q :5301'; }

## The two programs as they start

for module in veth bridge nf_tables nft_ct nft_masq nft_chain_nat sch_ingress sch_tbf cls_u32; do
  modprobe "$module"
done
start_netto -l "$all" -P || { not_ok starts "netto did not start"; exit 1; }
ok starts
wait_for 60 test -s "$all" || not_ok gives_json "no line in a minute"
sed 's/^/# /' "$work/netto.err"
fetch_page() { wget -qO "$page" http://127.0.0.1:24040/metrics; }
check gives_metrics "no page on port 24040" wait_for 20 fetch_page
collector_pid() { pidof netto-collector; }

# sealed: every thread of the collector, by the kernel's own words
sealed() {
  local status
  for status in /proc/"$(collector_pid)"/task/*/status; do
    awk '/^Uid:|^Gid:/ { for (i = 2; i <= 5; i++) if ($i != 65533) exit 1 }
      /^Cap/ && $2 !~ /^0+$/ { exit 1 }
      /^NoNewPrivs:/ && $2 != 1 { exit 1 }
      /^Seccomp:/ && $2 != 2 { exit 1 }' "$status" || { cat "$status"; return 1; }
  done
}
# What this kernel's seccomp and Landlock do: the unit tests, here; what it lacks they skip.
for name in filter aggregator_sandbox; do
  "$bin/test_$name" > "$work/$name.out" 2>&1
  status=$?
  sed -n 's/^/# /p' "$work/$name.out" | grep -E 'OK|SKIP|FAIL|rror'
  check "sandbox_holds_by_test_$name" "see above" test $status -eq 0
done
no_landlock=$(grep -c 'no Landlock' "$work/netto.err")
check landlock_is_used_where_it_is "$(cat "$work/netto.err")" \
  test "$no_landlock" = "$([ "$kernel" = 5.10 ] && echo 1 || echo 0)"
check collector_has_no_privilege "see its status above" sealed

probe_is() { # NAME WANT
  case $2 in
    off:*) grep -q "^netto_probe_attached{probe=\"$1\".*} 0\$" "$page" &&
      grep -q "$1 probes off: .*${2#off: }" "$work/netto.err" ;;
    *) grep -qF "netto_probe_attached{probe=\"$1\",function=\"$2\"} 1" "$page" ;;
  esac
}
while IFS=$'\t' read -r name want; do
  check "probe_$name" "not \"$want\": $(grep "probe=\"$name\"" "$page"; grep "$name probes off" "$work/netto.err")" \
    probe_is "$name" "$want"
done < <(expected probe)
check no_probe_is_unexpected "more probes than expected.tsv has for this kernel" \
  test "$(grep -c '^netto_probe_attached' "$page")" = "$(expected probe | wc -l)"
while IFS=$'\t' read -r name want; do
  check "source_of_$name" "not $want" grep -qF "netto_source_info{context=\"$name\",source=\"$want\"} 1" "$page"
done < <(expected source)

echo "# measuring after $(cut -d' ' -f1 /proc/uptime) s"

## Loopback

start "$traffic" serve 5301
measure tcp4 "$traffic" tcp $seconds 127.0.0.1 5301
components; expect tcp4 tcp_tx tcp_rx; expect_no tcp4 udp_tx udp_rx bridge forwarding
steps; expect tcp4 local_delivery
measure udp4 "$traffic" udp $seconds 127.0.0.1 5301
components; expect udp4 udp_tx udp_rx; expect_no udp4 tcp_tx tcp_rx
measure connections "$traffic" connections $seconds 127.0.0.1 5301
components; expect connections tcp_conn socket
measure sendfile "$traffic" sendfile $seconds 127.0.0.1 5301
contexts; expect sendfile syscall_tx softirq_rx
measure paced "$traffic" paced $seconds 127.0.0.1 5301
contexts; expect paced softirq_timer

source "$here_vm/preempted.bash"

## Namespaces

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
serve server
measure forward inside client "$traffic" tcp $seconds 10.99.2.2 5301
components; expect forward conntrack nat nf_forward virtual_xmit; expect_no forward bridge
steps; expect forward forwarding local_delivery; expect_no forward bridge
measure forward6 inside client "$traffic" tcp $seconds fd99:2::2 5301
check forward6_is_told_from_ipv4 "forwarding and local delivery are not mostly ipv6" jq -en '
  [inputs.rx_steps[] | select(.step == "forwarding" or .step == "local_delivery")]
  | (map(select(.family == "ipv6").cpu_ns) | add) > 0.9 * (map(.cpu_ns) | add)' "$log" > /dev/null

topology_bridge
serve right
measure bridge inside left "$traffic" udp $seconds 10.98.0.2 5301
components; expect bridge bridge udp_rx; expect_no bridge forwarding
steps; expect bridge bridge local_delivery; expect_no bridge forwarding tc_ingress xdp_generic
inside right tc qdisc add dev r0 clsact
for prio in $(seq 8); do
  inside right tc filter add dev r0 ingress prio "$prio" protocol ip u32 match ip dport "$prio" 0xffff flowid 1:1
done
inside right ip link set dev r0 xdpgeneric obj "$here_vm/pass.bpf.o" sec xdp
measure tc_xdp inside left "$traffic" udp $seconds 10.98.0.2 5301
components; expect tc_xdp bridge tc_ingress xdp_generic
steps; expect tc_xdp bridge tc_ingress xdp_generic
inside right tc qdisc del dev r0 clsact
inside right ip link set dev r0 xdpgeneric off
inside left tc qdisc add dev l0 root tbf rate 40mbit burst 16kb latency 50ms
measure queued inside left "$traffic" tcp $seconds 10.98.0.2 5301
contexts; expect queued softirq_tx
inside left tc qdisc del dev l0 root

## Two virtio network cards on one cable, one of them in a namespace

add_namespace far
near=$(basename "$(ls -d /sys/class/net/*/device | head -1 | xargs dirname)")
far=$(basename "$(ls -d /sys/class/net/*/device | tail -1 | xargs dirname)")
ip link set "$far" netns "$namespace"
ip addr add 10.97.0.1/24 dev "$near"
ip link set "$near" up
inside far ip addr add 10.97.0.2/24 dev "$far"
inside far ip link set "$far" up
serve far
measure virtio "$traffic" udp $seconds 10.97.0.2 5301
contexts; expect virtio hardirq softirq_rx

## Modules and programs that come and go: named soon after, and still named when they went

names_module() { grep -q "$(printf ' t [a-z_]*\t\[%s\]$' "$1")" "$run_dir/symbols"; }
names_program() { grep -qE " t bpf_prog_[0-9a-f]+_$1" "$run_dir/symbols"; }
if modprobe dummy; then
  check module_is_named "not in the table" wait_for 10 names_module dummy
  rmmod dummy
  modprobe macvlan
  check next_module_is_named "not in the table" wait_for 10 names_module macvlan
  check module_that_went_keeps_its_name "not in the table" names_module dummy
else
  skip module_is_named "no module dummy"
fi
inside right ip link set dev r0 xdpgeneric obj "$here_vm/pass.bpf.o" sec xdp
check program_is_named "not in the table" wait_for 10 names_program pass
inside right ip link set dev r0 xdpgeneric off

## After all of it

echo "# measured after $(cut -d' ' -f1 /proc/uptime) s"

cat "$work"/*.json > /tmp/results/cases.json
log=/tmp/results/cases.json
common_checks all
contexts
cat "$work/rows"
stop_netto
check stops_clean "exit status $?" test $? = 0
check runtime_dir_is_gone "$(ls "$run_dir" 2>&1)" test ! -e "$run_dir"
finish
