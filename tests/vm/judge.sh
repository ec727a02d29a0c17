#!/usr/bin/env bash
# judge.sh - what the log of a guest must say of the loads that guest.sh made, as test lines
#
#   judge.sh PROGRAMS KERNEL RESULTS-DIRECTORY
#
# Outside of the guest, where reading JSON takes no minutes. cases: one line a load, its name, the lines
# of log.json before and at its end, and when; counts: what the kernel itself counted between two lines.
here_vm=$(realpath "$(dirname "$0")")
source "$here_vm/../integration/measure.bash"
source "$here_vm/expected.bash"
kernel=$2 results=$3
log=$work/log rows=$work/rows

# load CASE: its lines in $log and, as "kind name samples cpu_ns events", in $rows
load() {
  local from to up
  : > "$rows"
  read -r from to up < <(awk -v name="$1" '$1 == name { print $2, $3, $4 }' "$results/cases")
  [ -n "${to:-}" ] || { check "$1_was_run" "no such load in the guest" false; return; }
  sed -n "$((from + 1)),${to}p" "$results/log.json" > "$log"
  jq -r '(.contexts | to_entries[] | ["context", .key, .value.samples, .value.cpu_ns, .value.events]),
    (.components[] | ["component", .component, .samples, .cpu_ns, 0]),
    (.rx_steps[] | ["step", .step, 0, .cpu_ns, 0], ["family", .step + "/" + .family, 0, .cpu_ns, 0]) | @tsv' "$log" |
    awk -F'\t' '{ key = $1 "\t" $2; s[key] += $3; n[key] += $4; e[key] += $5 }
      END { for (key in s) print key "\t" s[key] "\t" n[key] "\t" e[key] }' > "$rows"
  awk -F'\t' -v name="$1, up ${up%.*} s" '$1 == "context" { all += $3; if ($3 || $5) text = text " " $2 " " $3 "/" $5 }
    END { print "# " name ": " all + 0 " samples; samples/events:" text }' "$rows"
}
figure() { awk -F'\t' -v kind="$1" -v name="$2" -v column="$3" '$1 == kind && $2 == name { n = $column } END { print n + 0 }' "$rows"; }
# shows CASE KIND NAME...: a component by its samples, since shares reach back a minute; a step by its
# time: the first load that has it, in the guest's order, is the one that tests it
shows() {
  local name=$1 kind=$2 what
  shift 2
  for what in "$@"; do
    check "${name}_shows_$what" "no sample, time or event of it" awk -F'\t' -v kind="$kind" -v name="$what" '
      $1 == kind && $2 == name && (kind == "component" ? $3 : $3 + $4 + $5) > 0 { found = 1 } END { exit !found }' "$rows"
  done
}
# shows_no CASE COMPONENT...: but for what the guest does anyway
shows_no() {
  local name=$1 what
  shift
  for what in "$@"; do
    check "${name}_shows_no_$what" "$(figure component "$what" 3) samples" awk -F'\t' -v name="$what" '
      $1 == "context" { all += $3 } $1 == "component" && $2 == name { n += $3 } END { exit n > 3 + all / 200 }' "$rows"
  done
}
# shows_if_there CASE CONTEXT: unless this kernel has no such thing
shows_if_there() {
  if [ "$(expected_one context "$2")" = none ]; then
    check "$1_shows_no_$2_here" "$(figure context "$2" 3) samples" test "$(figure context "$2" 3)" = 0
  else
    shows "$1" context "$2"
  fi
}

# is_attached PROBE/FUNCTION WANT: by the page of metrics and the warnings
is_attached() {
  local row="netto_probe_attached{probe=\"${1%%/*}\",function=\"${1#*/}\"}"
  case $2 in
    off:*) grep -qF "$row 0" "$results/metrics" && grep -q "probes off: .*${2#off: }" "$results/netto.err" ;;
    missing) grep -qF "$row 0" "$results/metrics" ;;
    *) grep -qF "$row 1" "$results/metrics" ;;
  esac
}
while IFS=$'\t' read -r name want; do
  check "probe_${name// /_}" "not $want: $(grep -F "\"${name%%/*}\"" "$results/metrics" | tr '\n' ' ')" is_attached "$name" "$want"
done < <(expected probe | grep -v $'\tnone$')
others=$(sed -nE 's/^netto_probe_attached\{probe="(.*)",function="(.*)"\} .*/\1\/\2/p' "$results/metrics" |
  grep -vxFf <(expected probe | grep -v $'\tnone$' | cut -f1))
check no_other_probe "not in expected.tsv: $(tr '\n' ' ' <<< "$others")" test -z "$others"
while IFS=$'\t' read -r name want; do
  check "source_of_$name" "not $want" grep -qF "netto_source_info{context=\"$name\",source=\"$want\"} 1" "$results/metrics"
done < <(expected source)

load tcp4
shows tcp4 context syscall_tx syscall_rx softirq_rx
shows tcp4 component tcp_tx tcp_rx socket
shows tcp4 family local_delivery/ipv4
shows_no tcp4 udp_tx udp_rx bridge forwarding
load udp4
shows udp4 component udp_tx udp_rx ip_output virtual_xmit
shows_no udp4 tcp_tx tcp_rx
load connections
shows connections context syscall_other
shows connections component tcp_conn socket
load sendfile
shows sendfile context syscall_tx syscall_rx
shows sendfile component tcp_tx tcp_rx
load paced
shows paced context softirq_timer

load forward
shows forward component conntrack nat nf_forward virtual_xmit
shows forward family forwarding/ipv4
shows_no forward bridge udp_rx
load forward6
shows forward6 family forwarding/ipv6 local_delivery/ipv6
load bridge
shows bridge component bridge udp_rx
shows bridge step bridge
shows_no bridge tc_ingress xdp_generic conntrack
load tc_xdp
shows tc_xdp component tc_ingress xdp_generic
shows tc_xdp step tc_ingress xdp_generic
load queued
shows queued context softirq_tx
shows queued component qdisc

load virtio
shows virtio context hardirq softirq_rx
shows virtio component driver_poll driver_xmit
load disk
disk_interrupts=$(awk '$1 == "disk" { print $2 }' "$results/counts")
check interrupts_of_a_disk_are_not_network "$disk_interrupts of the disk, $(figure context hardirq 5) counted as network" \
  test "$disk_interrupts" -gt 200 -a "$(figure context hardirq 5)" -lt 20
load threaded
shows_if_there threaded napi_thread
load busy
shows_if_there busy busy_poll
load kthread
shows kthread context kthread

# The clock was set: the time of the lines shows it, and nothing else.
for name in clock_forth clock_back; do
  load $name
  [ $name = clock_forth ] && step=3600 || step=-3600
  # from the line before the load's first one
  awk -v name=$name '$1 == name { print $2 "," $3 "p" }' "$results/cases" | sed -n -f - "$results/log.json" > "$work/times"
  check "${name}_was_set" "$(jq -r .time "$work/times" | tr '\n' ' ')" holds -s --argjson step $step '
    map(.time[:19] + "Z" | fromdate) as $at | [range(1; length)] | any($at[.] - $at[. - 1] - $step | fabs < 600)' "$work/times"
  check "${name}_shows_in_no_figure" "$(jq -c '[.period_ns, .contexts[].cpu_ns]' "$log" | tr '\n' ' ')" holds -s '
    all(.period_ns > 0 and .period_ns < 6e11 and all(.contexts[]; .cpu_ns >= 0 and .cpu_ns < 6e11 and .events >= 0))' "$log"
  shows $name context syscall_tx softirq_rx
done
# The last word of a line is its figure.
back=$(awk '/^#/ || !/_total[ {]/ { next } { key = $0; sub(/ [^ ]+$/, "", key) }
  NR == FNR { was[key] = $NF; next } key in was { n++; if ($NF < was[key]) print key, was[key], $NF }
  END { if (n < 50) print n + 0, "counters" }' "$results/metrics.before" "$results/metrics.after" 2>&1)
check clock_turned_no_counter_back "$back" test -z "$back"

# The kernel counts the same things; what comes between the two looks may differ.
while read -r context from to count; do
  [ "$context" != disk ] || continue
  events=$(sed -n "$((from + 1)),${to}p" "$results/log.json" | jq -rn "reduce inputs.contexts.$context.events as \$e (0; . + \$e)")
  if [ "$(expected_one source "$context")" = exact ]; then
    check "every_${context}_is_counted" "$events events, the kernel counted $count" \
      test "$count" -gt 30 -a "$((events - count))" -le 20 -a "$((count - events))" -le 20
  fi
done < "$results/counts"

while read -r _ from to _; do sed -n "$((from + 1)),${to}p" "$results/log.json"; done < "$results/cases" > "$log"
common_checks all
finish
