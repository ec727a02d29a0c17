#!/usr/bin/env bash
# netto's command line: bad input gets one line and the right status, a good start leaves nothing behind.
source "$(dirname "$0")/lib.bash"
need_root netto_cli

# refused NAME STATUS PATTERN ARGUMENT...: exit status, one line on standard error that matches,
# nothing on standard output, nothing left in the runtime directory
refused() {
  local name=$1 status=$2 pattern=$3 got
  shift 3
  timeout 20 "$bin/netto" --runtime-dir="$run_dir" "$@" > "$work/out" 2> "$work/err" < /dev/null
  got=$?
  if [ $got -ne "$status" ]; then
    not_ok "$name" "exit status $got instead of $status: $(head -c 300 "$work/err")"
  elif [ "$(wc -l < "$work/err")" -ne 1 ] || ! grep -qE -- "$pattern" "$work/err"; then
    not_ok "$name" "not one line that says \"$pattern\": $(head -c 600 "$work/err")"
  elif [ -s "$work/out" ]; then
    not_ok "$name" "wrote to standard output"
  elif [ -d "$run_dir" ] && [ ! -L "$run_dir" ] && [ -n "$(ls -A "$run_dir")" ]; then
    not_ok "$name" "left in the runtime directory: $(ls -A "$run_dir")"
  else
    ok "$name"
  fi
}

refused unknown_option_is_a_usage_error 64 'no such option' --frobnicate
refused unknown_short_option_is_a_usage_error 64 'no such option' -x
refused missing_value_is_a_usage_error 64 'value is missing' -f
refused unknown_command_is_a_usage_error 64 'not a command' report
for value in 0 -5 12q '' 1e3 10001 99999999999999999999; do
  refused "frequency_${value:-empty}_is_refused" 64 'frequency.*whole number' "--frequency=$value"
done
for value in 0 99 60001 half; do
  refused "period_${value}_is_refused" 64 'user-period.*whole number' "--user-period=$value"
done
for value in '' on Fentry kprobe; do
  refused "exact_syscalls_${value:-empty}_is_refused" 64 'auto, fentry, tracepoint or off' "--exact-syscalls=$value"
done
for value in x 1,,2 0 -1 1,2x ,; do
  refused "pid_list_${value}_is_refused" 64 'user-pids' "--user-pids=$value"
done
refused pid_named_twice_is_refused 64 'twice' -u 1,1
refused address_without_prometheus_is_refused 64 'add -P' -a 127.0.0.1
refused port_without_prometheus_is_refused 64 'add -P' -p 9000
refused port_out_of_range_is_refused 64 'port' -P -p 65536
refused prometheus_without_port_is_refused 64 'not an address' --prometheus=127.0.0.1
refused address_named_twice_is_refused 64 'named twice' --prometheus=127.0.0.1:1 -p 2
refused root_as_the_aggregators_user_is_refused 64 'neither root' --user=root
refused unknown_user_is_refused 64 'no such user' --user=nobody-at-all
refused unwritable_log_path_is_refused 73 'cannot create' -l /nonexistent/netto.log
refused log_path_that_is_a_directory_is_refused 73 'directory' -l /dev/shm
refused address_that_does_not_resolve_is_refused 69 'does-not-exist' --prometheus=does-not-exist.invalid:24040

echo "in the way" > "$run_dir"
refused runtime_directory_that_is_a_file_is_refused 73 'not a directory'
rm "$run_dir"
ln -s /dev/shm "$run_dir"
refused runtime_directory_that_is_a_link_is_refused 73 'link'
rm "$run_dir"
mkdir "$run_dir"
chown 12345 "$run_dir"
refused runtime_directory_of_a_stranger_is_refused 77 'belongs to uid 12345'
rmdir "$run_dir"

unprivileged=$(timeout 20 setpriv --reuid=65534 --regid=65534 --clear-groups "$bin/netto" 2>&1 > /dev/null)
check netto_needs_root "said: $unprivileged" grep -q 'only root' <<< "$unprivileged"

python3 -c 'import socket, time
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(); print(s.getsockname()[1], flush=True); time.sleep(600)' > "$work/port" &
pids+=($!)
wait_for 10 test -s "$work/port"
refused port_in_use_is_refused 69 'in use' --prometheus="127.0.0.1:$(cat "$work/port")"

# --- a run from start to end
programs() { pgrep -f "runtime-dir=$run_dir" | wc -l; }
gone() { [ "$(programs)" -eq 0 ]; }
before=$(bpftool prog list | grep -cE '^[0-9]+:')

start_netto -l "$work/log.json"
check netto_starts "no socket after 60 s" test -S "$run_dir/collector.sock"
wait_for 20 test -s "$work/log.json"
check log_file_gets_lines "empty after 20 s" test -s "$work/log.json"

timeout 20 "$bin/netto" --runtime-dir="$run_dir" > /dev/null 2> "$work/err" < /dev/null
status=$?
check second_netto_exits_69 "exit status $status" test $status -eq 69
check second_netto_says_why "$(cat "$work/err")" grep -q 'already runs' "$work/err"
check first_netto_goes_on "its socket is gone" test -S "$run_dir/collector.sock"

collector=$(pgrep -f "netto-collector --runtime-dir=$run_dir")
aggregator=$(pgrep -f "netto-aggregator --runtime-dir=$run_dir")
check collector_is_not_root "uid $(stat -c %u /proc/"$collector")" grep -qE '^Uid:\s+[1-9]' "/proc/$collector/status"
check aggregator_is_not_root "uid $(stat -c %u /proc/"$aggregator")" grep -qE '^Uid:\s+[1-9]' "/proc/$aggregator/status"
uids=$(grep -h ^Uid: /proc/"$collector"/status /proc/"$aggregator"/status | sort -u | wc -l)
check users_differ "both run as one" test "$uids" -eq 2
for pid in $collector $aggregator; do
  check "$(cat /proc/"$pid"/comm)_has_its_own_process_group" "not" test "$(ps -o pgid= -p "$pid" | tr -d ' ')" = "$pid"
done

lines=$(wc -l < "$work/log.json")
mv "$work/log.json" "$work/log.1"
touch "$work/log.json"
chown --reference="$work/log.1" "$work/log.json"
kill -HUP "$netto"
wait_for 20 test -s "$work/log.json"
check sighup_reopens_the_log_without_a_terminal "no line in the new file" test -s "$work/log.json"
check sighup_does_not_end_netto "it ended" kill -0 "$netto"

stop_netto
status=$?
check sigterm_ends_with_0 "exit status $status" test $status -eq 0
wait_for 10 gone
check no_process_is_left "$(programs) left" gone
check no_file_is_left "$(ls -la "$run_dir" 2>&1)" test ! -e "$run_dir"
sleep 0.5
after=$(bpftool prog list | grep -cE '^[0-9]+:')
check no_bpf_program_is_left "$before before, $after after" test "$after" -le "$before"

# --- mounts: the runtime directory is on tmpfs in the end, and nothing stays mounted
mkdir -p /var/tmp/netto-test-$$
run_dir=/var/tmp/netto-test-$$/run
start_netto -l "$work/log2.json"
check tmpfs_is_mounted_where_there_is_none "not tmpfs" test "$(stat -f -c %T "$run_dir")" = tmpfs
options=$(grep " $run_dir " /proc/mounts)
for option in nosuid nodev noexec; do
  check "mount_is_$option" "$options" grep -q "$option" <<< "$options"
done
kill -KILL "$netto"
wait "$netto" 2> /dev/null
wait_for 10 gone
check children_die_with_netto "$(programs) left" gone
start_netto -l "$work/log2.json"
check netto_starts_again_after_sigkill "no socket" test -S "$run_dir/collector.sock"
stop_netto
check nothing_stays_mounted "$(grep "$run_dir" /proc/mounts)" test "$(grep -c "$run_dir" /proc/mounts)" -eq 0
check directory_of_a_killed_netto_is_removed_too "still there" test ! -e "$run_dir"
rm -rf /var/tmp/netto-test-$$

# --- one child's end takes the other down
run_dir=$work/run
for victim in collector aggregator; do
  start_netto -l "$work/log3.json"
  wait_for 10 pgrep -f "netto-$victim --runtime-dir=$run_dir"
  kill -KILL "$(pgrep -f "netto-$victim --runtime-dir=$run_dir")"
  wait "$netto"
  status=$?
  check "killed_${victim}_ends_netto_with_70" "exit status $status" test $status -eq 70
  check "killed_${victim}_is_named" "$(cat "$work/netto.err")" grep -q "netto-$victim was killed by signal 9" "$work/netto.err"
  wait_for 10 gone
  check "nothing_is_left_after_a_killed_$victim" "$(programs) left, $(ls "$run_dir" 2>&1)" test ! -e "$run_dir"
done

# --- JSON lines on a pipe, and its end
start_netto_pipe() { timeout 60 "$bin/netto" --runtime-dir="$run_dir" < /dev/null 2> "$work/pipe.err" | head -n 3 > "$work/pipe.json"; }
start_netto_pipe
check pipe_gets_json_lines "$(head -c 200 "$work/pipe.json")" holds .schema_version "$work/pipe.json"
check closed_pipe_ends_netto_quietly "$(cat "$work/pipe.err")" test ! -s "$work/pipe.err"
wait_for 10 gone
check closed_pipe_leaves_nothing "$(programs) left" gone
finish
