#!/usr/bin/env bash
# netto check: what it says is so, it leaves nothing behind, and what is missing is its last line.
source "$(dirname "$0")/lib.bash"
need_root check

programs() { bpftool prog list | grep -cE '^[0-9]+:'; }
unprivileged() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }

# checked NAME STATUS PATTERN COMMAND...: exit status, and a last line that matches; as JSON the
# same status and message
checked() {
  local name=$1 status=$2 pattern=$3 got got_json
  shift 3
  "$@" timeout 60 "$bin/netto" check > "$work/out" 2> "$work/err" < /dev/null
  got=$?
  "$@" timeout 60 "$bin/netto" check --json > "$work/json" 2> "$work/err.json" < /dev/null
  got_json=$?
  if [ $got -ne "$status" ] || [ $got_json -ne "$status" ]; then
    not_ok "$name" "exit status $got and $got_json instead of $status: $(cat "$work/err" "$work/err.json")"
  elif ! tail -1 "$work/out" | grep -qE -- "$pattern"; then
    not_ok "$name" "the last line is not \"$pattern\" but: $(tail -1 "$work/out")"
  elif [ -s "$work/err" ] || [ -s "$work/err.json" ]; then
    not_ok "$name" "wrote to standard error: $(cat "$work/err" "$work/err.json")"
  elif ! jq -e --arg message "$(tail -1 "$work/out")" --argjson status "$status" \
    '.result == { can_run: ($status == 0), exit_status: $status, message: $message }' "$work/json" > /dev/null; then
    not_ok "$name" "JSON differs: $(jq -c .result "$work/json" 2>&1)"
  else
    ok "$name"
  fi
}

# refused NAME PATTERN ARGUMENT...: a usage error of one line
refused() {
  local name=$1 pattern=$2 status
  shift 2
  timeout 20 "$bin/netto" "$@" > "$work/out" 2> "$work/err" < /dev/null
  status=$?
  if [ $status -eq 64 ] && [ "$(wc -l < "$work/err")" = 1 ] && grep -qE -- "$pattern" "$work/err" &&
    [ ! -s "$work/out" ]; then
    ok "$name"
  else
    not_ok "$name" "exit status $status: $(cat "$work/err" "$work/out")"
  fi
}

refused unknown_option_is_a_usage_error 'frobnicate: no such option' check --frobnicate
refused unknown_short_option_is_a_usage_error '-x: no such option' check -x
refused argument_too_many_is_a_usage_error 'x: an argument too many' check x
refused missing_frequency_is_a_usage_error 'value is missing' check -f
refused frequency_0_is_a_usage_error 'not a whole number' check -f 0
refused value_for_json_is_a_usage_error 'no such option, or a value' check --json=1
refused options_come_behind_the_word 'come behind it' -f 100 check
"$bin/netto" check --help > "$work/out" 2>&1
check help_is_there "exit status $?" grep -q '^usage: netto check' "$work/out"
check help_of_netto_names_it "$("$bin/netto" --help)" grep -q 'netto check' <("$bin/netto" --help)

## As root

json_fields() { # of all but the contexts, which have each a source
  printf '%s\n' capabilities capabilities.CAP_{BPF,CHOWN,PERFMON,SETGID,SETPCAP,SETUID,SYSLOG,SYS_ADMIN,SYS_RESOURCE} \
    costs costs.{cost,measured_on,part} host kernel kernel.{bpf_jit_kallsyms,btf,clocksource,cpus_online} \
    kernel.{irq_time_accounting,kptr_restrict,lockdown,machine,perf_event_max_sample_rate} \
    kernel.{perf_event_paranoid,pmu,preempt_rt,release,unprivileged_bpf_disabled} kernel_addresses notes \
    probes probes.{function,name,reason,state} result result.{can_run,exit_status,message} schema_version \
    softirq_probes_ns version
}

before=$(programs)
had_run=$(stat -c %i /run/netto 2>&1)
checked root_is_told_that_netto_can_run 0 '^netto can run$' env
after=$(programs)
check no_program_stays_attached "$before before, $after after" test "$after" -le "$before"
check no_runtime_directory_is_made "$(ls -ld /run/netto 2>&1)" test "$had_run" = "$(stat -c %i /run/netto 2>&1)"
keys=$(jq --stream -r 'select(length == 2) | .[0] | select(.[0] == "contexts") | .[1]' "$work/json" | sort | tr '\n' ' ')
check each_context_stands_there_once "$keys" test "$keys" = "busy_poll hardirq io_worker kthread napi_thread softirq_rx softirq_timer softirq_tx syscall_other syscall_rx syscall_tx "
fields=$(jq -r '[del(.contexts) | paths | map(strings) | join(".")] | unique | .[]' "$work/json")
check each_field_stands_there "$(diff - <(echo "$fields") <<< "$(json_fields)" | tr '\n' ';')" test "$fields" = "$(json_fields)"
check nothing_is_left_unknown "$(jq -c '.contexts, .probes' "$work/json")" holds \
  '([.contexts[].source] | index("unknown") | not) and ([.probes[].state] | index("untried") | not)' "$work/json"
check plain_text_without_a_terminal "$(cat "$work/out")" test "$(grep -c $'\e' "$work/out")" = 0
"$bin/netto-collector" --check > "$work/report"
check no_address_is_in_the_report "$(cat "$work/report")" test -z "$(grep -E '[0-9a-f]{12,}' "$work/report")"

# on_terminal: what a terminal of 80 columns gets
on_terminal() { script -qec "stty cols 80 && $1 '$bin/netto' check" /dev/null < /dev/null | tr -d '\r'; }
TERM=xterm on_terminal env > "$work/coloured"
TERM=xterm on_terminal "env NO_COLOR=1" > "$work/colourless"
check a_terminal_gets_colours "$(cat -v "$work/coloured")" grep -q $'\e\\[32mattached' "$work/coloured"
check no_color_is_obeyed "$(cat -v "$work/colourless")" test "$(grep -c $'\e' "$work/colourless")" = 0
check it_fits_80_columns "$(cat "$work/colourless")" test "$(wc -L < "$work/colourless")" -lt 80

## It says what netto does

port=$((20000 + RANDOM % 10000))
start_netto --prometheus="127.0.0.1:$port" || not_ok netto_starts "see above"
metrics() { curl -sSf --max-time 5 "http://127.0.0.1:$port/metrics" > "$work/metrics" && grep -q '^netto_source_info' "$work/metrics"; }
wait_for 30 metrics
"$bin/netto" check --json > "$work/json"
check a_netto_that_runs_is_no_obstacle "exit status $?" kill -0 "$netto"
rows() { jq -r '.probes[] | [.name, .function, (if .state == "attached" then 1 else 0 end)] | @tsv' "$work/json" | sort; }
seen() { sed -nE 's/^netto_probe_attached\{probe="([^"]*)",function="([^"]*)"\} /\1\t\2\t/p' "$work/metrics" | sort; }
check probes_are_those_of_a_running_netto "$(diff <(rows) <(seen) | tr '\n' ';')" diff -q <(rows) <(seen)
# a handler's time without its probe is no sample either, which only the check says
sources() { jq -r '.contexts | to_entries[] | [.key, (.value.source | sub("none"; "sampled"))] | @tsv' "$work/json" | sort; }
known() { sed -nE 's/^netto_source_info\{context="([^"]*)",source="([^"]*)"\} 1/\1\t\2/p' "$work/metrics" | sort; }
check sources_are_those_of_a_running_netto "$(diff <(sources) <(known) | tr '\n' ';')" diff -q <(sources) <(known)
stop_netto

## What is missing

checked user_without_capabilities_is_told_which 77 'cannot run: missing capability CAP_BPF and CAP_PERFMON' unprivileged
check without_privilege_no_probe_is_tried "$(jq -c .probes "$work/json")" holds '[.probes[].state] | length > 0 and all(. == "untried")' "$work/json"
check each_probe_tells_what_it_needs "$(jq -c .probes "$work/json")" holds '[.probes[].reason] | all(contains("CAP_BPF"))' "$work/json"
check the_kernel_is_told_of_without_privilege "$(jq -c .kernel "$work/json")" holds --arg release "$(uname -r)" \
  '.kernel.release == $release and .kernel.btf and (.kernel.perf_event_paranoid | type) == "number" and .kernel.clocksource != "unknown"' "$work/json"
checked root_without_cap_perfmon_is_told_so 77 'CAP_PERFMON' setpriv --bounding-set -perfmon,-sys_admin
checked root_that_cannot_be_given_up_is_told_so 77 'CAP_SETUID' setpriv --bounding-set -setuid

touch "$work/empty"
empty_btf() { unshare --mount sh -c 'mount --bind "$1" /sys/kernel/btf/vmlinux && shift && exec "$@"' sh "$work/empty" "$@"; }
no_btf() { unshare --mount sh -c 'mount -t tmpfs none /sys/kernel/btf && exec "$@"' sh "$@"; }
no_btf_unprivileged() { no_btf setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
checked empty_btf_is_named 69 'BTF.*CONFIG_DEBUG_INFO_BTF' empty_btf
checked missing_btf_is_named 69 'BTF.*CONFIG_DEBUG_INFO_BTF' no_btf
checked missing_btf_is_named_before_privilege 69 'BTF.*CONFIG_DEBUG_INFO_BTF' no_btf_unprivileged
checked refused_bpf_is_named 69 'BPF refused.*unprivileged_bpf_disabled' "$here/without_syscall.py" bpf EPERM /usr/bin/env
checked refused_perf_event_is_named 69 'perf_event_paranoid is' "$here/without_syscall.py" perf_event_open EACCES /usr/bin/env
check only_the_sampler_is_off_then "$(jq -c .probes "$work/json")" holds '.probes[] | select(.name == "sampler") | .state == "off" and .reason != ""' "$work/json"
echo 500 > "$work/limit"
limited() { unshare --mount sh -c 'mount --bind "$1" /proc/sys/kernel/perf_event_max_sample_rate && shift && exec "$@"' sh "$work/limit" "$@"; }
checked default_rate_gives_way_to_the_limit 0 'netto can run' limited
check that_is_noted "$(cat "$work/out")" grep -q 'sampling at 500 Hz' "$work/out"
limited "$bin/netto" check -f 501 > "$work/out" 2>&1
got=$?
check rate_above_the_limit_is_refused "exit status $got: $(tail -1 "$work/out")" test $got -eq 69
check that_limit_is_named "$(tail -1 "$work/out")" grep -q 'perf_event_max_sample_rate is 500.*--frequency=500' "$work/out"
limited "$bin/netto" check -f 500 > "$work/out" 2>&1
got=$?
check rate_within_the_limit_is_good "exit status $got: $(tail -1 "$work/out")" test $got -eq 0
if [ "$(sysctl -n kernel.perf_event_paranoid)" -gt 1 ]; then
  checked hidden_addresses_are_no_obstacle 0 'can run' setpriv --bounding-set -syslog
  check hidden_addresses_are_noted "$(jq -c '.kernel_addresses, .notes' "$work/json")" holds '.kernel_addresses == "hidden" and (.notes[0] | contains("components"))' "$work/json"
else
  skip hidden_addresses_are_noted "kernel.perf_event_paranoid lets everybody see them"
fi

## Who reads the report, and a collector that does not give one

mkdir "$work/bin"
cp "$bin/netto" "$work/bin/netto"
# collector TEXT: netto finds this script beside it
collector() { printf '#!/bin/sh\n%s\n' "$1" > "$work/bin/netto-collector" && chmod 755 "$work/bin/netto-collector"; }
real_bin=$bin bin=$work/bin
collector 'for i in $(seq 200); do grep -qE "^Uid:	65532	65532	65532	65532" /proc/$PPID/status && break; sleep 0.05; done
printf "netto-check\t1\nprobe\tuid\t%s\tattached\t\nend\t0\t\n" "$(grep ^Uid: /proc/$PPID/status | tr "\t" " ")"'
"$bin/netto" check --json > "$work/json"
check root_is_given_up_before_the_report_is_read "$(jq -c .probes "$work/json")" holds '.probes[0].function == "Uid: 65532 65532 65532 65532"' "$work/json"
collector 'kill -KILL $$'
checked killed_collector_is_an_internal_error 70 'without a report \(signal 9\)' env
collector 'echo rubbish'
checked rubbish_for_a_report_is_an_internal_error 70 'without a report \(exit status 0\)' env
collector 'printf "netto-check\t1\n"; head -c 1000000 /dev/zero; exit 3'
checked flood_for_a_report_is_an_internal_error 70 'without a report' env
bin=$real_bin
finish
