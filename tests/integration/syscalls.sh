#!/usr/bin/env bash
# The system calls of both programs at work, in their sandboxes as always, compared with the list in
# tests/data/syscalls.*.txt, and that with the tables of the filters.
source "$(dirname "$0")/lib.bash"
need_root syscalls
command -v strace > /dev/null || { skip syscalls "no strace"; exit 0; }
root=$(realpath "$here/../..")
data=$root/tests/data

# What strace -f wrote, from the moment on in which the filter was in force: names, each once.
calls_after_filter() {
  awk '/ seccomp\(SECCOMP_SET_MODE_FILTER.*( = 0|unfinished ...>)$/ { n = NR }
       { line[NR] = $0 }
       END { for (i = n + 1; i <= NR; i++) print line[i] }' "$@" |
    sed -E 's/^[0-9]+ +//; s/^<\.\.\. ([a-z0-9_]+) resumed.*/\1(/' | grep -oE '^[a-z0-9_]+\(' | tr -d '(' | sort -u
}
# The names that a filter's table allows; the sanitizers' and the deadly ones are other tables.
allowed() { # FILE
  sed -E '/^#ifdef __SANITIZE/,/^#endif/d; /call_row deadly/,/^\};/d' "$1" |
    grep -oE '(SCMP_SYS|ANY)\([a-z0-9_]+\)' | sed -E 's/.*\((.*)\)/\1/' | grep -vx name | sort -u
}
# What an instrumented build may do beside that
sanitizers() { # PROGRAM FILE
  ! is_sanitized "$1" || sed -nE '/^#ifdef __SANITIZE/,/^#endif/p' "$2" | grep -oE '(SCMP_SYS|ANY)\([a-z0-9_]+\)' | sed -E 's/.*\((.*)\)/\1/'
}
is_sanitized() { grep -q __asan_init "$bin/netto-$1"; }
listed() { grep -v '^#' "$data/syscalls.$1.txt" | cut -f1 | sort -u; }
must_be_seen() { awk -F'\t' '!/^#/ && $2 == "seen" { print $1 }' "$data/syscalls.$1.txt" | sort -u; }
words() { tr '\n' ' '; }

# judge PROGRAM FILTER: the calls are in $work/PROGRAM.calls
judge() {
  local seen=$work/$1.calls other
  other=$(diff <(listed "$1") <(allowed "$2") | grep '^[<>]' | words)
  check "list_of_the_$1_is_its_filters_table" "$other" test -z "$other"
  other=$(comm -23 "$seen" <((listed "$1"; sanitizers "$1" "$2") | sort -u) | words)
  check "$1_makes_no_call_outside_the_list" "$other" test -z "$other" -a -s "$seen"
  if [ "$(uname -m)" = x86_64 ] && ! is_sanitized "$1"; then
    other=$(comm -13 "$seen" <(must_be_seen "$1") | words)
    check "$1_makes_every_call_that_the_list_has_no_reason_for" "not made: $other" test -z "$other"
  else
    skip "$1_makes_every_call_that_the_list_has_no_reason_for" "other architectures and sanitizers call differently"
  fi
}

lines() { cat "$1" 2> /dev/null | wc -l; }
has_lines() { [ "$(lines "$1")" -ge "$2" ]; }
listens() { grep -q 'listening on' "$work/$1.err"; }
# the words that run a command with its calls in $work/NAME.trace, in $tracing
tracing_as() { # NAME UID
  tracing=(strace -f -qq -o "$work/$1.trace" setpriv --reuid="$2" --regid=65533 --clear-groups)
}
traced_pid() { wait_for 20 test -s "$work/$1.trace" && awk 'NR == 1 { print $1 }' "$work/$1.trace"; }
declare -A tracer
start_traced() { # NAME UID COMMAND...
  local name=$1
  tracing_as "$1" "$2"
  shift 2
  start "${tracing[@]}" "$@" 2> "$work/$name.err" < /dev/null
  tracer[$name]=$started
}

start "$here/notify_socket.py" "$work/notify" "$run_dir/collector.sock" > "$work/notified"
wait_for 10 test -S "$work/notify"
start env NOTIFY_SOCKET="$work/notify" strace -f -qq -o "$work/collector.trace" \
  "$bin/netto-collector" --runtime-dir="$run_dir" 2> "$work/collector.err" < /dev/null
tracer[collector]=$started
collector=$(traced_pid collector)
wait_for 60 test -S "$run_dir/collector.sock" || not_ok collector_starts_traced "$(cat "$work/collector.err")"
start nice "$here/traffic.py" udp 60

mkdir "$work/log" && chown 65532 "$work/log"
start_traced writer 65532 "$bin/netto-aggregator" --runtime-dir="$run_dir" --log-file="$work/log/lines" --user-pids=$$
start_traced server 65531 "$bin/netto-aggregator" --runtime-dir="$run_dir" --prometheus=localhost:0
tracing_as viewer 65530
start script -qec "${tracing[*]} env TERM=xterm $bin/netto-aggregator --runtime-dir=$run_dir --table" /dev/null \
  > "$work/viewer.out" < /dev/null
tracer[viewer]=$started

wait_for 20 has_lines "$work/log/lines" 2 || not_ok writer_writes "$(cat "$work/writer.err")"
mv "$work/log/lines" "$work/log/old"
kill -HUP "$(traced_pid writer)"
wait_for 20 has_lines "$work/log/lines" 2 || not_ok writer_writes_a_new_file "$(cat "$work/writer.err")"
wait_for 20 listens server && curl -s --max-time 10 "$(grep -o 'http://[^ ]*' "$work/server.err")" > "$work/page"
check server_serves_in_its_sandbox "$(cat "$work/server.err")" grep -q '^netto_cpu_seconds_total' "$work/page"
wait_for 20 grep -q 'network CPU' "$work/viewer.out" || not_ok viewer_draws "$(head -c 500 "$work/viewer.out")"
kill -STOP "$collector"
sleep 0.3
kill -CONT "$collector"
sleep 1
for name in writer server viewer collector; do kill "$(traced_pid $name)"; done
wait "${tracer[@]}"

calls_after_filter "$work/collector.trace" > "$work/collector.calls"
for name in writer server viewer; do calls_after_filter "$work/$name.trace"; done | sort -u > "$work/aggregator.calls"
judge collector "$root/collector/filter.c"
judge aggregator "$root/aggregator/filter.c"
refused=$(grep -hE ' = -1 ENOSYS' "$work"/{writer,server,viewer}.trace | sed -E 's/^[0-9]+ +//; s/\(.*//' | sort -u | words)
echo "   calls refused to aggregators: ${refused:-none}"
finish
