# measure.bash - netto over a load, and what its log must say; source it instead of lib.bash
#
# A measurement leaves $log, the JSON lines of the load. components, steps and contexts choose what
# expect and expect_no then look at.
source "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
traffic=$here/traffic.py

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
network_ns() { jq -rn '[inputs.contexts[].cpu_ns] | add' "$1"; }
wall_ns() { jq -rn '[inputs | .period_ns * .cpus] | add' "$1"; }
