#!/usr/bin/env bash
# The aggregator among bad options, bad collectors, impostors and full disks: one clear line each,
# then it waits for something good; it never crashes and every line it writes is whole.
source "$(dirname "$0")/lib.bash"
need_root aggregator_bad_input

mkdir "$work/own"
chown 65532:65533 "$work/own"
log=$work/own/log
err=$work/aggregator.err
: > "$err"
as_user() { exec setpriv --reuid=65532 --regid=65533 --clear-groups "$@"; }
program=$bin/netto-aggregator

# --- options and places: refused at once ---

# refused NAME STATUS PATTERN COMMAND...: that status, one line that matches, nothing else
refused() {
  local name=$1 status=$2 pattern=$3 got
  shift 3
  (timeout 20 "$@" > "$work/out" 2> "$work/err" < /dev/null)
  got=$?
  if [ $got -ne "$status" ]; then
    not_ok "$name" "exit status $got instead of $status: $(head -c 300 "$work/err")"
  elif [ "$(wc -l < "$work/err")" -ne 1 ] || ! grep -qE -- "$pattern" "$work/err"; then
    not_ok "$name" "not one line that says \"$pattern\": $(head -c 600 "$work/err")"
  elif [ -s "$work/out" ]; then
    not_ok "$name" "wrote to standard output"
  else
    ok "$name"
  fi
}
unprivileged=(setpriv --reuid=65532 --regid=65533 --clear-groups "$program" --runtime-dir="$run_dir")

refused unknown_option_is_a_usage_error 64 'not an option' "$program" --frobnicate
refused missing_value_is_a_usage_error 64 'value is missing' "$program" --log-file
refused word_is_a_usage_error 64 'top: not an option' "$program" top
refused rubbish_in_a_pid_list_is_refused 64 'not a list of pids' "$program" -u 1,two
refused table_and_log_on_one_output_are_refused 64 'both want standard output' "$program" --table --log
refused root_is_refused 77 '--allow-root' "$program" --runtime-dir="$run_dir" --log
refused log_in_a_missing_directory_is_refused 73 'cannot write /nonexistent/log' "${unprivileged[@]}" --log-file=/nonexistent/log
refused log_without_permission_is_refused 73 'ermission' "${unprivileged[@]}" --log-file="$work/log"
refused log_that_is_a_directory_is_refused 73 'directory' "${unprivileged[@]}" --log-file="$work/own"
refused address_that_does_not_resolve_is_refused 69 'does-not-exist' "${unprivileged[@]}" --prometheus=does-not-exist.invalid:24040

start python3 -c 'import socket, sys, time
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(); print(s.getsockname()[1], flush=True); time.sleep(600)' > "$work/port"
wait_for 20 test -s "$work/port"
refused port_in_use_is_refused 69 'in use' "${unprivileged[@]}" --prometheus="127.0.0.1:$(cat "$work/port")"

# --- collectors ---

forget_messages() { cat "$err" >> "$err.all"; : > "$err"; }
start_collector() { # ARGUMENT...: a fake one, as root, readable by all
  forget_messages
  : > "$work/collector.out"
  start "$bin/fake_collector" --runtime-dir="$run_dir" --period=100 --mode=0444 "$@" > "$work/collector.out"
  collector=$started
  wait_for 20 grep -q ready "$work/collector.out"
}
# crash: leaves its files and its socket
crash_collector() { kill -9 "$collector"; wait "$collector" 2> /dev/null; }
end_collector() { kill "$collector"; wait "$collector"; }

start_aggregator() { # ARGUMENT...
  forget_messages
  start as_user "$program" --runtime-dir="$run_dir" "$@" 2>> "$err" < /dev/null
  aggregator=$started
}
# one that has said nothing yet
fresh_aggregator() { end_aggregator; start_aggregator --log-file="$log"; }
alive() { kill -0 "$aggregator" 2> /dev/null; }
end_aggregator() { kill -"${1:-TERM}" "$aggregator"; wait "$aggregator"; }
lines() { wc -l < "$log"; }
has_more_lines() { [ -f "$log" ] && [ "$(lines)" -gt "$1" ]; }
says() { grep -qE -- "$1" "$err"; }

# doubted NAME PATTERN: the running aggregator says that, once in several tries, and lives
doubted() {
  local before
  if ! wait_for 20 says "$2"; then
    not_ok "$1" "it does not say \"$2\": $(tail -3 "$err")"
    return
  fi
  sleep 1.3   # one more try; whether it comes changes nothing below
  before=$(grep -cE -- "$2" "$err")
  if ! alive; then not_ok "$1" "it has ended"
  elif [ "$before" -ne 1 ]; then not_ok "$1" "said $before times"
  else ok "$1"; fi
}
# recovers NAME: a good collector is taken and lines come
recovers() {
  local before=0
  start_collector
  [ -f "$log" ] && before=$(lines)
  check "$1" "no lines come: $(tail -3 "$err")" wait_for 20 has_more_lines "$before"
}

start_aggregator --log-file="$log"
doubted directory_missing_is_said_once 'no collector at .*/run: is netto-collector running'
echo "in the way" > "$run_dir"
doubted runtime_directory_that_is_a_file_is_said_once 'collector.sock is not what a collector makes'
rm "$run_dir"

start_collector --break=boot
doubted ring_of_another_boot_is_said_once 'another boot'
crash_collector
start_collector --break=generation
doubted ring_of_another_run_is_said_once 'another run'
crash_collector
start_collector --break=ring-garbage
doubted ring_of_noise_is_said_once 'no ring, or damaged'
crash_collector
start_collector --break=ring-major
doubted ring_of_another_version_is_said_once 'run/ring is of another version'
crash_collector
start_collector --break=hello-major
doubted hello_of_another_version_is_said_once 'collector.sock is of another version'
crash_collector
start_collector --break=hello
doubted hello_of_noise_is_said_once 'says nothing that a collector says'
crash_collector
start_collector --break=no-symbols
doubted symbols_missing_are_said_once 'symbols is not there'
crash_collector
start_collector --owner=12345
doubted ring_of_a_stranger_is_refused 'run/ring can be written by others'
crash_collector
recovers a_good_collector_is_taken_after_all_that

crash_collector
fresh_aggregator
start_collector --break=ring-truncated
doubted truncated_ring_is_said_once 'no ring, or damaged'
crash_collector
mv "$run_dir/ring" "$run_dir/elsewhere"
ln -s elsewhere "$run_dir/ring"
start "$bin/fake_collector" --runtime-dir="$run_dir/other" > /dev/null
rm -f "$run_dir/collector.sock"
ln -s other/collector.sock "$run_dir/collector.sock"
doubted socket_behind_a_link_is_refused 'collector.sock is a link'
rm -rf "$run_dir"

mkdir "$run_dir"
chmod 777 "$run_dir"
start setpriv --reuid=12345 --regid=12345 --clear-groups "$bin/fake_collector" --runtime-dir="$run_dir" --mode=0444 > /dev/null
doubted impostor_behind_the_socket_is_refused 'collector.sock can be written by others'
kill "$started"
wait "$started"
chmod 755 "$run_dir"
recovers a_good_collector_is_taken_after_an_impostor
crash_collector
fresh_aggregator
start_collector --break=hello-huge
doubted datagram_above_the_limit_is_said_once 'says nothing that a collector says'
crash_collector
start_collector --break=hello-twice
doubted second_hello_is_said_once 'says hello twice'
crash_collector
recovers a_good_collector_is_taken_once_more
crash_collector
start_collector --break=ring-shrinks
doubted ring_that_shrinks_in_use_does_no_harm 'ring is damaged'
crash_collector
recovers a_good_collector_is_taken_after_a_shrunk_ring
crash_collector

start_collector --break=symbols
doubted symbols_of_noise_cost_names_only 'no usable symbols'
check without_names_lines_still_come "none came" wait_for 20 has_more_lines "$(lines)"
crash_collector
start_collector --break=hidden
doubted hidden_addresses_are_said_once 'kptr_restrict'
check with_hidden_addresses_lines_still_come "none came" wait_for 20 has_more_lines "$(lines)"
crash_collector
start_collector --break=no-bell
check without_a_bell_lines_still_come "none came" wait_for 20 has_more_lines "$(lines)"
crash_collector

start_collector --break=records
has_decode_losses() { jq -es 'map(.lost.decode) | add > 0' "$log"; }
check records_of_noise_are_counted "no decode losses: $(tail -1 "$log")" wait_for 20 has_decode_losses
crash_collector
start_collector --period=500 --flood=20000
has_overruns() { jq -es 'map(.lost.ring_overrun) | add > 0' "$log"; }
check records_overwritten_are_counted "no overruns: $(tail -1 "$log")" wait_for 20 has_overruns
fresh_aggregator
wait_for 20 has_more_lines "$(lines)"
end_collector
doubted end_of_the_collector_is_said 'collector has gone'
check it_still_runs "it has ended: $(tail -3 "$err")" alive
no_sanitizer_spoke() { ! grep -E 'ERROR: |runtime error' "$err.all" "$err"; }
check no_sanitizer_spoke "see above" no_sanitizer_spoke

end_aggregator
check sigterm_ends_with_0 "exit status $?" [ $? -eq 0 ]
are_lines() { cat "$@" | jq -es 'length > 3' > /dev/null; }
check every_line_is_whole "a line is no JSON" are_lines "$log"
# Within one generation the lines' records follow on each other, and each line's add up.
accounts_hold() {
  jq -es 'group_by(.generation) | all(.[];
    ([range(1; length) as $i | .[$i].first_seq == .[$i - 1].last_seq + 1] | all) and
    all(.[]; .delivered + .lost.ring_overrun + .lost.decode == .last_seq - .first_seq + 1))' "$log" > /dev/null
}
check lines_account_for_every_record "a record is neither delivered nor lost" accounts_hold

# --- disks and readers ---

rm -f "$log"
mkdir "$work/disk"
mount -t tmpfs -o size=64k,mode=0777 netto-test "$work/disk"
log=$work/disk/log
start_collector
start_aggregator --log-file="$log"
wait_for 20 has_more_lines 2
dd if=/dev/zero of="$work/disk/filler" bs=1k count=64 2> /dev/null
doubted full_disk_is_said_once 'cannot write .*No space left'
rm "$work/disk/filler"
mount -o remount,size=16m "$work/disk"
has_recovered_line() { jq -es 'map(.lines_dropped) | add > 0' "$log"; }
check lines_come_again_with_room "none came: $(tail -2 "$err")" wait_for 20 has_recovered_line
check recovery_is_said "it is not: $(tail -2 "$err")" wait_for 20 says 'takes lines again: [0-9]+ were dropped'

mv "$log" "$log.1"
kill -HUP "$aggregator"
check sighup_makes_a_new_file "there is none" wait_for 20 has_more_lines 1
check log_is_for_owner_and_group "mode $(stat -c %a "$log")" [ "$(stat -c %a "$log")" = 640 ]
end_aggregator INT
check sigint_ends_with_0 "exit status $?" [ $? -eq 0 ]
check every_line_is_whole_on_a_full_disk "a line is no JSON" are_lines "$log.1" "$log"
# 22 records a period: 10 samples and one snapshot on each of two CPUs
dropped_lines_add_up() {
  cat "$log.1" "$log" | jq -es '. as $l | [range(1; length) as $i |
    $l[$i].first_seq == $l[$i - 1].last_seq + 1 + 22 * $l[$i].lines_dropped] | all' > /dev/null
}
check dropped_lines_are_counted_exactly "lines_dropped is not what is missing" dropped_lines_add_up

forget_messages
as_user "$program" --runtime-dir="$run_dir" 2>> "$err" < /dev/null | head -1 > "$work/first"
status=${PIPESTATUS[0]}
ended_quietly() { [ "$status" -eq 0 ] && [ ! -s "$err" ]; }
check a_reader_that_goes_ends_it_quietly "status $status: $(cat "$err")" ended_quietly
has_schema() { jq -e .schema_version "$1" > /dev/null; }
check first_line_of_a_pipe_is_whole "it is not" has_schema "$work/first"

mkfifo "$work/fifo"
exec 7<> "$work/fifo"   # a reader that does not read
crash_collector
start_collector --period=2
start as_user "$program" --runtime-dir="$run_dir" > "$work/fifo" 2>> "$err" < /dev/null
aggregator=$started
check slow_reader_is_said "it is not" wait_for 60 says 'too slow'
end_aggregator
check slow_reader_does_not_hold_up_the_end "exit status $?" [ $? -eq 0 ]
end_collector
finish
