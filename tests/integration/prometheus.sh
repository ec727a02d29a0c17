#!/usr/bin/env bash
# The metrics endpoint as operators meet it: promtool reads the page, a real Prometheus scrapes it
# while the collector comes and goes and while others sit on the port.
source "$(dirname "$0")/lib.bash"
for program in prometheus promtool curl jq; do
  command -v $program > /dev/null || { skip prometheus "no $program here"; exit 0; }
done

# start_aggregator ARGUMENT...: it listens on $address; messages go to $work/aggregator.err
start_aggregator() {
  start "$bin/netto-aggregator" --runtime-dir="$run_dir" --allow-root "$@" \
    > /dev/null 2> "$work/aggregator.err" < /dev/null
  aggregator=$started
  wait_for 20 grep -q 'listening on' "$work/aggregator.err" || return 1
  address=$(sed -n 's|.*http://\([^ ]*\)/metrics.*|\1|p' "$work/aggregator.err")
}
start_collector() {
  start "$bin/fake_collector" --runtime-dir="$run_dir" --period=200 > "$work/collector.out"
  collector=$started
  wait_for 20 grep -q ready "$work/collector.out"
}
# stop PID: wait until it is gone
stop() {
  kill "$1"
  wait "$1"
}

page() { curl -sS --max-time 10 "http://$address/metrics"; }
status() { curl -sS --max-time 10 -o /dev/null -w '%{http_code}' "http://$address$1"; }
has_status() { [ "$(status "$1")" = "$2" ]; }
# (No pipe: whoever writes into it fails when grep has seen enough.)
page_has() { grep -qE "$1" <<< "$(page)"; }
page_has_text() { grep -qF "$1" <<< "$(page)"; }
page_lacks() { ! page_has "$1"; }

promtool_is_silent() {
  page > "$work/page" && promtool check metrics < "$work/page" > "$work/promtool.out" 2>&1 &&
    [ ! -s "$work/promtool.out" ]
}

# Figures of one scrape, kept by Prometheus; empty when the query finds no series.
query() {
  curl -sS --max-time 10 -G --data-urlencode "query=$1" "$prometheus/api/v1/query" |
    jq -r '.data.result[0].value[1] // empty'
}
query_holds() { [ -n "$(query "$1")" ]; }
query_is_empty() { [ -z "$(query "$1")" ]; }
target_is_up() {
  curl -sS --max-time 10 "$prometheus/api/v1/targets" |
    jq -e '.data.activeTargets | length == 1 and .[0].health == "up" and .[0].lastError == ""' > /dev/null
}

start_prometheus() {
  cat > "$work/prometheus.yml" << YAML
global:
  scrape_interval: 500ms
  scrape_timeout: 500ms
scrape_configs:
  - job_name: netto
    static_configs:
      - targets: ["$address"]
YAML
  start prometheus --config.file="$work/prometheus.yml" --storage.tsdb.path="$work/tsdb" \
    --web.listen-address=127.0.0.1:0 > "$work/prometheus.log" 2>&1
  wait_for 30 grep -q 'msg="Listening on"' "$work/prometheus.log" || return 1
  prometheus=http://$(grep -o 'msg="Listening on" address=[^ ]*' "$work/prometheus.log" | sed 's/.*=//')
  wait_for 30 curl -sSf --max-time 2 "$prometheus/-/ready"
}

# A task may call itself anything: its name is the name of its file.
start_odd_task() {
  cp "$(command -v sleep)" "$work/"$'a"b\\\n\xff\e[2J'
  start "$work/"$'a"b\\\n\xff\e[2J' 600
  odd=$started
}

# refused NAME WHAT ARGUMENT...: one line that says WHAT, exit status 69
refused() {
  local name=$1 what=$2 status
  shift 2
  timeout 20 "$bin/netto-aggregator" --runtime-dir="$run_dir" --allow-root "$@" \
    > "$work/refused.out" 2> "$work/refused.err" < /dev/null
  status=$?
  if [ $status -eq 69 ] && [ "$(wc -l < "$work/refused.err")" = 1 ] &&
    grep -q "$what" "$work/refused.err" && [ ! -s "$work/refused.out" ]; then
    ok "$name"
  else
    not_ok "$name" "exit status $status: $(cat "$work/refused.err")"
  fi
}

# Open connections that say half a request and then nothing.
sitting=()
sit_on_the_port() { # COUNT
  local fd
  for _ in $(seq "$1"); do
    exec {fd}<> "/dev/tcp/${address%:*}/${address##*:}" && printf 'GET /metrics HTTP/1.1\r\nHo' >&"$fd"
    sitting+=("$fd")
  done
}
get_up() {
  local fd
  for fd in "${sitting[@]}"; do exec {fd}>&-; done
}

mkdir -m 755 "$run_dir"
start_odd_task
start_aggregator --prometheus=:0 -u "$odd" ||
  { not_ok endpoint_starts "$(cat "$work/aggregator.err")"; finish; }

check loopback_unless_told_otherwise "$address" [ "${address%:*}" = 127.0.0.1 ]
check healthy_without_a_collector "$(status /-/healthy)" has_status /-/healthy 200
check not_ready_without_a_collector "$(status /-/ready)" has_status /-/ready 503
check page_without_a_collector_says_so "$(page | head -c 300)" page_has '^netto_collector_up 0$'
check page_without_a_collector_has_no_measurements "$(page | grep '^netto_cpu' | head -3)" \
  page_lacks '^netto_cpu_seconds_total'
check promtool_is_silent_without_a_collector "$(cat "$work/promtool.out" 2>/dev/null)" promtool_is_silent

start_collector || not_ok fake_collector_starts "$(cat "$work/collector.out")"
check ready_once_a_period_was_seen "$(status /-/ready)" wait_for 20 has_status /-/ready 200
check time_is_shown "no softirq_rx above 0" wait_for 20 \
  page_has '^netto_cpu_seconds_total\{cpu="0",context="softirq_rx"\} [0-9.]*[1-9]'
check an_odd_name_is_escaped "$(page | grep -a 'user_cpu_seconds_total{')" \
  page_has_text "{pid=\"$odd\",comm=\"a\\\"b"'\\\\x0a\\xff\\x1b[2J"}'
check promtool_is_silent "$(promtool_is_silent; cat "$work/promtool.out")" promtool_is_silent

refused a_port_in_use_is_refused "$address: address in use" --prometheus="$address"
refused a_name_that_does_not_resolve_is_refused "no-such-host.invalid:1234: the name does not resolve" \
  --prometheus=no-such-host.invalid:1234
refused an_address_of_another_machine_is_refused "192.0.2.1:1234: not an address of this machine" \
  --prometheus=192.0.2.1:1234

if start_prometheus; then
  check prometheus_sees_the_target_up "$(curl -sS "$prometheus/api/v1/targets" | head -c 500)" \
    wait_for 30 target_is_up
  check prometheus_has_time "no series above 0" wait_for 30 \
    query_holds 'netto_cpu_seconds_total{context="softirq_rx"} > 0'
  check prometheus_has_the_same_by_component "components do not add up to contexts" wait_for 30 \
    query_holds 'abs(sum(netto_cpu_seconds_total) - sum(netto_component_cpu_seconds_total)) < 1e-6 and sum(netto_cpu_seconds_total) > 0'
  check prometheus_has_the_same_by_step "steps do not add up to contexts" wait_for 30 \
    query_holds 'abs(sum(netto_cpu_seconds_total) - sum(netto_rx_step_cpu_seconds_total)) < 1e-6 and sum(netto_cpu_seconds_total) > 0'
  check prometheus_sees_counters_grow "rate is not above 0" wait_for 30 \
    query_holds 'rate(netto_cpu_seconds_total{cpu="0",context="softirq_rx"}[5s]) > 0'
  check prometheus_renames_no_label "an exported_ label" \
    query_is_empty '{__name__=~"netto_.*",exported_job=~".+"} or {__name__=~"netto_.*",exported_instance=~".+"}'

  sit_on_the_port 100
  check prometheus_scrapes_on_while_others_sit_on_the_port "$(query 'changes(up[4s])')" wait_for 30 \
    query_holds 'increase(netto_backend_delivered_total{backend="prometheus"}[3s]) > 0 and on(instance) up == 1'
  sleep 3
  check prometheus_lost_no_scrape "the target was down" query_is_empty 'min_over_time(up[8s]) < 1'
  get_up

  stop "$collector"
  check prometheus_sees_the_collector_go "netto_collector_up stays 1" wait_for 30 \
    query_holds 'netto_collector_up == 0 and on(instance) up == 1'
  check series_go_stale_with_the_collector "netto_cpu_seconds_total stands still" wait_for 30 \
    query_is_empty netto_cpu_seconds_total
  start_collector
  check series_come_back_with_the_collector "none" wait_for 30 query_holds netto_cpu_seconds_total
  check counters_never_went_back "resets" \
    query_is_empty 'resets(netto_cpu_seconds_total[1m]) > 0'
else
  not_ok prometheus_starts "$(tail -3 "$work/prometheus.log")"
fi

stop "$aggregator"
check ends_as_asked "exit status $?" [ $? -eq 0 ]
check nothing_said_but_where_it_listens "$(cat "$work/aggregator.err")" \
  sh -c "! grep -v -e 'listening on' -e collector '$work/aggregator.err'"
finish
