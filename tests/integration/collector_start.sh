#!/usr/bin/env bash
# netto-collector: each way it cannot start, what it is once it has started, and how it ends.
source "$(dirname "$0")/lib.bash"
need_root collector_start
collector=$bin/netto-collector
id=65533

# The collector of this test, with a prefix such as setpriv in front.
prefix=()
# Out goes what a busy machine may add: that attaching has to wait.
run_collector() {
  local status
  "${prefix[@]}" timeout 60 "$collector" --runtime-dir="$run_dir" "$@" < /dev/null > "$work/out" 2> "$work/all"
  status=$?
  grep -v 'attaching probes: waiting for the kernel' "$work/all" > "$work/err"
  return $status
}

# refused NAME STATUS PATTERN ARGUMENT...: exit status, one line that matches, nothing left behind
# but what $keeps names
keeps=""
refused() {
  local name=$1 status=$2 pattern=$3 got left
  shift 3
  run_collector "$@"
  got=$?
  left=$(cd "$work" && find run -mindepth 1 2>/dev/null | sort | tr '\n' ' ')
  if [ $got -ne "$status" ]; then
    not_ok "$name" "exit status $got instead of $status: $(head -c 300 "$work/err")"
  elif [ "$(wc -l < "$work/err")" -ne 1 ] || ! grep -qE -- "$pattern" "$work/err"; then
    not_ok "$name" "not one line that says \"$pattern\": $(head -c 600 "$work/err")"
  elif [ -s "$work/out" ]; then
    not_ok "$name" "wrote to standard output"
  elif [ "${left% }" != "$keeps" ]; then
    not_ok "$name" "left in the runtime directory: $left"
  else
    ok "$name"
  fi
}

# refused_at_last: the same, where warnings come before the reason
refused_at_last() {
  local name=$1 status=$2 pattern=$3 got
  shift 3
  run_collector "$@"
  got=$?
  if [ $got -ne "$status" ] || ! tail -1 "$work/err" | grep -qE -- "$pattern"; then
    not_ok "$name" "exit status $got, not $status with \"$pattern\": $(head -c 600 "$work/err")"
  elif [ -e "$run_dir" ]; then
    not_ok "$name" "left $run_dir"
  else
    ok "$name"
  fi
}

# start_collector ARGUMENT...: until its socket is there; its pid in $pid
start_collector() {
  start "${prefix[@]}" "$collector" --runtime-dir="$run_dir" "$@" 2> "$work/err" < /dev/null
  pid=$started
  wait_for 60 test -S "$run_dir/collector.sock" && return 0
  sed 's/^/   /' "$work/err"
  return 1
}
end_collector() { # SIGNAL
  kill "-$1" "$pid"
  wait "$pid"
}
ended() { ! kill -0 "$pid" 2>/dev/null; }
run_dir_of() { mkdir -m "$2" "$run_dir" && chown "$1" "$run_dir"; }

## What it refuses

refused unknown_option_is_a_usage_error 64 'no such option' --frobnicate
refused frequency_0_is_refused 64 'frequency 0: .*1 to 10000' --frequency=0
refused ring_size_that_is_no_power_of_two_is_refused 64 'power of two' --ring-size=3MiB
refused root_as_the_user_to_become_is_refused 64 'cannot stay root' --user=root

echo 500 > "$work/limit"
prefix=(unshare --mount sh -c 'mount --bind "$1" /proc/sys/kernel/perf_event_max_sample_rate && shift && exec "$@"' sh "$work/limit")
refused frequency_above_the_kernels_limit_is_refused_with_that_limit 64 'perf_event_max_sample_rate, which is 500' -f 501
start_collector && end_collector TERM && rmdir "$run_dir"
check default_frequency_gives_way_to_that_limit "$(cat "$work/err")" grep -q 'sampling at 500 Hz instead of 997' "$work/err"
prefix=()

prefix=(setpriv --reuid=65534 --regid=65534 --clear-groups)
refused user_without_capabilities_is_told_which 77 'CAP_BPF and CAP_PERFMON'
# Exactly what README and SECURITY.md say it needs as root, and each of these taken away.
needed=(bpf perfmon syslog setuid setgid setpcap)
capabilities() { # [ALL BUT THIS]
  local name list=-all
  for name in "${needed[@]}"; do [ "$name" = "${1:-}" ] || list+=,+$name; done
  echo "$list"
}
for capability in bpf perfmon setuid setgid setpcap; do
  prefix=(setpriv --bounding-set "$(capabilities $capability)")
  refused "root_without_cap_${capability}_is_told_so" 77 "CAP_${capability^^}"
done
prefix=()

without_btf() { unshare --mount sh -c 'mount -t tmpfs none /sys/kernel/btf && exec "$@"' sh "$@"; }
prefix=(without_btf)
refused kernel_without_btf_is_named 69 'btf.*CONFIG_DEBUG_INFO_BTF'
prefix=("$here/without_syscall.py" bpf EPERM /usr/bin/env)
refused refused_bpf_is_named_with_what_decides_it 69 'BPF refused.*(lockdown|unprivileged_bpf_disabled)'
prefix=("$here/without_syscall.py" perf_event_open EACCES /usr/bin/env)
refused_at_last refused_perf_event_is_named_with_the_sysctl 69 'perf_event_open.*perf_event_paranoid is [0-9]'
prefix=("$here/without_syscall.py" seccomp ENOSYS /usr/bin/env)
refused kernel_without_seccomp_is_named 69 'cannot install the filter of system calls.*CONFIG_SECCOMP_FILTER' --exact-syscalls=off
rmdir "$run_dir"   # empty: it was no longer root when it ended
has_landlock() { python3 -c 'import ctypes, sys; sys.exit(ctypes.CDLL(None).syscall(444, None, 0, 1) < 1)'; }
if has_landlock; then
  prefix=("$here/without_syscall.py" landlock_restrict_self 0 /usr/bin/env)
  refused landlock_that_does_not_hold_is_found 70 'Landlock: it does not hold' --exact-syscalls=off
  rmdir "$run_dir"
else
  skip landlock_that_does_not_hold_is_found "no Landlock here"
fi
prefix=()

## What it does not trust

echo "in the way" > "$run_dir"
refused runtime_directory_that_is_a_file_is_refused 73 'not a directory'
rm "$run_dir"
mkdir "$work/elsewhere" && chown $id:$id "$work/elsewhere" && ln -s "$work/elsewhere" "$run_dir"
refused runtime_directory_that_is_a_link_is_refused 73 'link'
rm "$run_dir"
run_dir_of 12345 750
refused runtime_directory_of_a_stranger_is_refused 77 'belongs to uid 12345'
chown $id:$id "$run_dir" && chmod 770 "$run_dir"
refused runtime_directory_for_the_group_to_write_is_refused 77 'can be written by others'
chmod 750 "$run_dir"
keeps=run/ring
ln -s /etc/passwd "$run_dir/ring"
before=$(cksum /etc/passwd)
refused planted_link_is_refused 73 'run/ring is a link'
check planted_link_is_not_followed "it changed" test "$before" = "$(cksum /etc/passwd)"
rm "$run_dir/ring" && touch "$run_dir/ring" && chown 12345 "$run_dir/ring"
refused planted_file_of_a_stranger_is_refused 77 'run/ring belongs to uid 12345'
keeps=""
rm -r "$run_dir"
run_dir=$work/none/run
refused runtime_directory_without_a_parent_is_refused 73 'cannot make .*none/run'
run_dir=$work/run
run_dir_of $id:$id 750
mount -t tmpfs -o size=1m,mode=750,uid=$id,gid=$id netto-test "$run_dir"
refused full_runtime_directory_is_refused 73 'cannot publish in .*(space|No space)'
umount "$run_dir" && rmdir "$run_dir"

## What it is once it runs

start "$here/notify_socket.py" "$work/notify" "$run_dir/collector.sock" > "$work/notified"
wait_for 10 test -S "$work/notify"
export NOTIFY_SOCKET=$work/notify
start_collector || not_ok collector_starts "see above"
unset NOTIFY_SOCKET
check it_says_nothing_when_all_is_well "$(head -c 300 "$work/err")" test ! -s "$work/err"
wait_for 10 test -s "$work/notified"
check it_is_ready_when_its_socket_is_there "$(cat "$work/notified")" grep -q 'READY=1 STATUS=.*socket=there' "$work/notified"

no_privilege() {
  local status
  for status in /proc/"$pid"/task/*/status; do
    awk -v id=$id '
      /^(Uid|Gid):/ { for (i = 2; i <= 5; i++) if ($i != id) bad = 1 }
      /^Groups:/ && NF > 1 { bad = 1 }
      /^Cap...:/ && $2 !~ /^0+$/ { bad = 1 }
      /^NoNewPrivs:/ && $2 != 1 { bad = 1 }
      /^Seccomp:/ { filters += $2 == 2 }
      END { exit bad || filters != 1 }' "$status" || return 1
  done
}
check no_thread_has_any_privilege "$(grep -hE '^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp:)' /proc/"$pid"/task/*/status | tr '\n\t' '; ')" no_privilege
limits=$(grep -E '^Max (processes|core file size|open files)' /proc/"$pid"/limits | tr -s ' ')
check it_can_start_no_process_and_dump_no_core "$limits" test "$(grep -cE '^Max (processes|core file size) 0 0 ' <<< "$limits")" = 2
check there_are_two_threads "$(ls /proc/"$pid"/task)" test "$(find /proc/"$pid"/task -mindepth 1 -maxdepth 1 | wc -l)" = 2
kept=$(find /proc/"$pid"/fd -lname '*bpf-map*' -o -lname '*bpf-prog*' -o -lname '*btf*')
check no_map_program_or_btf_stays_open "$kept" test -z "$kept"
modes=$(stat -c '%n %a %u:%g' "$run_dir" "$run_dir"/* | sed "s,$work/,," | tr '\n' ';')
check files_have_their_owner_and_modes "$modes" test "$modes" = "run 750 $id:$id;run/collector.sock 660 $id:$id;run/ring 440 $id:$id;run/symbols 440 $id:$id;"
check symbols_start_where_the_kernel_was_linked "$(head -3 "$run_dir/symbols")" grep -qE '^ffffffff81000000 [tT] _text$' "$run_dir/symbols"

keeps="run/collector.sock run/ring run/symbols"
refused second_collector_there_is_refused 69 'already runs in'
keeps=""

if command -v strace > /dev/null; then
  timeout 3 strace -qq -o "$work/strace" -p "$pid" 2> /dev/null
  calls=$(sed -E 's/^<\.\.\. ([a-z0-9_]+) resumed.*/\1(/; s/\(.*//' "$work/strace" | grep -vE '^(---|\+\+\+)' | sort -u | tr '\n' ' ')
  # the last ones if a BPF program comes or goes meanwhile; all of them are syscalls.sh's part
  others=$(printf '%s\n' $calls | grep -vxE 'clock_nanosleep|clock_gettime|newfstatat|restart_syscall|sendto|umask|openat|pread64|pwrite64|renameat|close')
  check the_sampling_thread_needs_few_system_calls "it also calls $others" test -z "$others" -a -n "$calls"
else
  skip the_sampling_thread_needs_few_system_calls "no strace"
fi

kill -HUP "$pid"
sleep 0.3
check hangup_does_not_end_it "it is gone" kill -0 "$pid"
end_collector TERM
got=$?
check termination_is_a_good_end "exit status $got" test $got -eq 0
# root's parent directory: only an empty one can stay
check no_file_is_left_after_the_end "$(ls -A "$run_dir" 2>&1)" test -z "$(ls -A "$run_dir" 2>/dev/null)"
check the_manager_hears_of_the_end "$(cat "$work/notified")" grep -q 'STOPPING=1' "$work/notified"

start_collector && end_collector INT
got=$?
check interrupt_is_a_good_end "exit status $got" test $got -eq 0
rmdir "$run_dir"

## Directories it did not make, and ends that were not good

run_dir_of $id:$id 750
start_collector && end_collector TERM
check directory_it_did_not_make_stays_empty "$(ls -A "$run_dir" 2>&1)" test -d "$run_dir" -a -z "$(ls -A "$run_dir")"

start_collector && { kill -KILL "$pid"; wait "$pid" 2>/dev/null; }
check killed_collector_leaves_its_files "$(ls -A "$run_dir")" test -S "$run_dir/collector.sock"
old=$(stat -c %i "$run_dir/ring")
start "$collector" --runtime-dir="$run_dir" 2> "$work/err" < /dev/null
pid=$started
new_ring() { local i; i=$(stat -c %i "$run_dir/ring") && [ "$i" != "$old" ] && [ -S "$run_dir/collector.sock" ]; }
check stale_files_are_replaced "$(cat "$work/err")" wait_for 60 new_ring
rm -f "$run_dir/ring"
wait_for 10 ended || kill "$pid"
wait "$pid"
got=$?
check removed_ring_means_start_again "exit status $got: $(cat "$work/err")" test $got -eq 75
check removed_ring_is_said "$(cat "$work/err")" grep -q 'removed or replaced' "$work/err"
check what_was_left_is_removed "$(ls -A "$run_dir")" test -z "$(ls -A "$run_dir")"
rmdir "$run_dir"

disk=$(mktemp -d /var/tmp/netto-test.XXXXXX)
chown $id:$id "$disk" && chmod 750 "$disk"
if [ "$(stat -f -c %T "$disk")" = tmpfs ]; then
  skip runtime_directory_on_a_disk_is_warned_of "/var/tmp is in memory"
else
  memory=$run_dir run_dir=$disk
  start_collector && end_collector TERM
  check runtime_directory_on_a_disk_is_warned_of "$(cat "$work/err")" grep -q 'not on tmpfs' "$work/err"
  run_dir=$memory
fi
rm -rf "$disk"

## With just the capabilities it needs

addresses_hidden() { test "$(grep -c 'shows no addresses' "$work/err")" = 1 -a ! -s "$run_dir/symbols"; }
addresses_shown() { test ! -s "$work/err" && grep -q ' _text$' "$run_dir/symbols"; }
# With kernel.kptr_restrict=0 and kernel.perf_event_paranoid below 2 everybody sees addresses.
hidden_without_syslog() { [ "$(sysctl -n kernel.kptr_restrict)" -gt 0 ] || [ "$(sysctl -n kernel.perf_event_paranoid)" -gt 1 ]; }
# with_only NAME CHECK: start with $prefix and the runtime directory made, check, and end well
with_only() {
  local got
  run_dir_of $id:$id 750
  start_collector --exact-syscalls=off
  check "$1" "$(cat "$work/err"; grep -h '^Cap' /proc/"$pid"/task/*/status | tr '\n\t' '; ')" "$2"
  end_collector TERM
  got=$?
  check "$1_and_ends_well" "exit status $got" test $got -eq 0
  rm -rf "$run_dir"
}
prefix=(setpriv --bounding-set "$(capabilities)")
root_with_six() { no_privilege && addresses_shown; }
with_only six_capabilities_are_enough_as_root root_with_six
prefix=("$here/without_syscall.py" landlock_create_ruleset ENOSYS "${prefix[@]}")
without_landlock() { no_privilege && [ "$(wc -l < "$work/err")" = 1 ] && grep -q 'no Landlock' "$work/err"; }
with_only kernel_without_landlock_is_said_and_will_do without_landlock

without_capabilities() { ! grep -hE '^Cap(Inh|Prm|Eff|Amb)' /proc/"$pid"/task/*/status | grep -qv '0000000000000000$'; }
as_user() { # CAPABILITY,...
  prefix=(setpriv --reuid=$id --regid=$id --clear-groups "--inh-caps=-all,$1" "--ambient-caps=-all,$1" "--bounding-set=-all,$1")
}
as_user +bpf,+perfmon,+syslog
user_with_three() { without_capabilities && addresses_shown; }
with_only three_capabilities_are_enough_without_root user_with_three
for capability in bpf perfmon; do
  other=$([ $capability = bpf ] && echo perfmon || echo bpf)
  as_user "+$other,+syslog"
  refused "user_without_cap_${capability}_is_told_so" 77 "CAP_${capability^^}"
done
if hidden_without_syslog; then
  as_user +bpf,+perfmon
  with_only user_without_cap_syslog_is_told_and_gets_no_symbols addresses_hidden
  prefix=(setpriv --bounding-set "$(capabilities syslog)")
  with_only root_without_cap_syslog_is_told_and_gets_no_symbols addresses_hidden
else
  skip user_without_cap_syslog_is_told_and_gets_no_symbols "everybody sees addresses here"
  skip root_without_cap_syslog_is_told_and_gets_no_symbols "everybody sees addresses here"
fi

as_user +bpf,+perfmon
prefix=("$here/hand_over.py" /proc/kallsyms kallsyms "${prefix[@]}")
user_with_handover() { without_capabilities && addresses_shown; }
with_only descriptor_handed_over_stands_in_for_cap_syslog user_with_handover
prefix=("$here/hand_over.py" /etc/passwd kallsyms)
start_collector() { start "${prefix[@]}" "$collector" --runtime-dir="$run_dir" 2> "$work/err" < /dev/null; pid=$started; }
start_collector
wait "$pid"
got=$?
check another_file_handed_over_is_refused "exit status $got: $(cat "$work/err")" test $got -eq 78 -a ! -e "$run_dir"
prefix=()

finish
