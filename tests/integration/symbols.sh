#!/usr/bin/env bash
# Names follow the kernel: BPF programs that are loaded while netto runs, take each other's place and
# go. Whatever was loaded, nothing that netto tells says where the kernel is.
source "$(dirname "$0")/measure.bash"
need_root symbols
kptr=$(sysctl -n kernel.kptr_restrict) jit_kallsyms=$(sysctl -n net.core.bpf_jit_kallsyms)
trap 'sysctl -qw kernel.kptr_restrict="$kptr" net.core.bpf_jit_kallsyms="$jit_kallsyms"; clean_up' EXIT

# load_program NAME: generic XDP on r0, and its pid in $started; unload_program ends it
load_program() {
  rm -f "$work/input"
  mkfifo "$work/input"
  inside right "$bin/programs" hold "$1" r0 < "$work/input" > "$work/$1.out" 2>&1 &
  started=$!
  pids+=("$started")
  exec 9> "$work/input"
  wait_for 10 grep -q attached "$work/$1.out" || not_ok load_program "$(cat "$work/$1.out")"
}
unload_program() {
  exec 9>&-
  wait "$started"
}
table_has() { grep -qE " t bpf_prog_[0-9a-f]{16}_$1"$'\t''\[bpf\]$' "$run_dir/symbols"; }
frames_of() { "$here/frames_of.py" "$run_dir" "$1"; }
place_of() { grep -oE "^[0-9a-f]+ t bpf_prog_[0-9a-f]{16}_$1" /proc/kallsyms | cut -d' ' -f1; }
# packets: for three seconds, through the program
packets() { inside left ping -f -q -w 3 10.98.0.2 > /dev/null; sleep 0.5; }
# collector_anon: KiB of the collector's own memory, the least of two seconds: while it reads kallsyms it
# has 26 MiB more
collector_anon() {
  local status
  status=/proc/$(pgrep -P "$netto" netto-collector)/status
  for _ in $(seq 20); do awk '/^RssAnon/ { print $2 }' "$status"; sleep 0.1; done | sort -n | head -1
}
metric() { curl -sf "http://127.0.0.1:24139/metrics" | awk -v name="$1" '$1 == name { print $2 }'; }

topology_bridge
log=$work/symbols.json
# a build with ASan keeps freed memory for a while, which would look like growth
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}quarantine_size_mb=0:thread_local_quarantine_size_kb=0 \
  start_netto -l "$log" --prometheus=127.0.0.1:24139 || { not_ok symbols "netto did not start"; finish; }
wait_for 20 test -s "$log"

load_program first_one
check a_program_is_named_within_a_period "not in the table" wait_for 1 table_has first_one
first_place=$(place_of first_one)
packets
first=$(frames_of first_one)
check its_frames_have_its_name "$first frames" test "$first" -gt 50
unload_program
load_program second_one
check the_next_one_is_named_within_a_period "not in the table" wait_for 1 table_has second_one
check the_one_that_went_keeps_its_name "not in the table" table_has first_one
echo "   the second one lies $([ "$(place_of second_one)" = "$first_place" ] && echo where || echo elsewhere than) the first one lay"
before=$(frames_of first_one)
packets
second=$(frames_of second_one)
check the_next_one_has_its_own_name "$second frames" test "$second" -gt 50
check nothing_more_is_taken_for_the_one_that_went "$(frames_of first_one) frames, before $before" \
  test "$(frames_of first_one)" -le "$before"
unload_program
sleep 1
components; expect programs xdp_generic
unexplained_is_low programs
check no_frame_is_without_a_place "$(metric netto_frames_unmapped_total) frames" test "$(metric netto_frames_unmapped_total)" -le 50

"$bin/programs" churn 2000 || not_ok churn "cannot load"
sleep 1
size=$(stat -c %s "$run_dir/symbols") anon=$(collector_anon)
for _ in 1 2 3; do
  "$bin/programs" churn 2000 || not_ok churn "cannot load"
  sleep 1
done
grown=$(($(stat -c %s "$run_dir/symbols") - size))
check the_table_does_not_grow "by $grown bytes from $size" test "$grown" -lt $((size / 20))
grown=$(($(collector_anon) - anon))
# none is seen; 48 bytes kept of each program told of made 140 KiB: most come too fast to be told
check the_collector_does_not_grow "by $grown KiB from $anon" test "$grown" -lt 100
check no_program_was_missed "$(metric netto_symbols_missed_total)" test "$(metric netto_symbols_missed_total)" = 0

load_program last_one
packets
curl -sf http://127.0.0.1:24139/metrics > "$work/metrics"
timeout 10 "$here/find_addresses.py" --hello "$run_dir/collector.sock" > "$work/hello"
cp "$run_dir/ring" "$run_dir/symbols" "$work"
ps -o args= -p "$netto" --ppid "$netto" > "$work/args"
"$here/find_addresses.py" "$work"/{ring,symbols,metrics,hello,args,symbols.json,netto.err} > "$work/found"
check nothing_tells_where_the_kernel_is "$(tail -3 "$work/found")" test $? = 0
sed -n '1s/^/   /p' "$work/found"
check what_was_looked_through_is_there "$(wc -c "$work"/{ring,symbols,metrics,hello,symbols.json} | tr '\n' ' ')" \
  test -s "$work/ring" -a -s "$work/symbols" -a -s "$work/metrics" -a -s "$work/hello" -a -s "$work/symbols.json"
"$here/find_addresses.py" --plant "$work/planted"
"$here/find_addresses.py" "$work/planted" > "$work/found"
check what_tells_would_be_found "$(grep -c planted "$work/found") of 6" test "$(grep -c planted "$work/found")" = 6
unload_program
stop_netto

# Nothing to be had from kallsyms of what was loaded before: said once, and what comes later is named.
sysctl -qw net.core.bpf_jit_kallsyms=0
start_netto --prometheus=127.0.0.1:24139 || not_ok without_jit_kallsyms "netto did not start"
load_program third_one
check without_jit_kallsyms_it_says_so_once "$(cat "$work/netto.err")" test "$(grep -c 'no BPF programs' "$work/netto.err")" = 1
check without_jit_kallsyms_what_comes_is_named "not in the table" wait_for 2 table_has third_one
check without_jit_kallsyms_ours_are_named "not in the table" table_has on_tick
unload_program
stop_netto
sysctl -qw net.core.bpf_jit_kallsyms="$jit_kallsyms"

# Nothing to be had at all: times are exact, components unknown.
sysctl -qw kernel.kptr_restrict=2
log=$work/restricted.json
start_netto -l "$log" --prometheus=127.0.0.1:24139 || not_ok restricted "netto did not start"
load_program fourth_one
packets
check restricted_is_said_once "$(cat "$work/netto.err")" test "$(grep -c '^netto-collector:.*shows no addresses' "$work/netto.err")" = 1
check restricted_shows_in_one_metric "netto_symbols $(metric netto_symbols)" test "$(metric netto_symbols)" = 0
check restricted_gives_no_table "$(wc -c < "$run_dir/symbols") bytes" test ! -s "$run_dir/symbols"
unload_program
stop_netto
sysctl -qw kernel.kptr_restrict="$kptr"
check restricted_times_are_exact "no time of softirq_rx" holds -n '[inputs.contexts.softirq_rx | select(.source == "exact").cpu_ns] | add > 1e7' "$log"
check restricted_components_are_unknown "$(log_components "$log" | tr '\n' ' ')" holds -n '
  [inputs.components[] | select(.context == "softirq_rx" and .component != "unknown").cpu_ns] | (add // 0) == 0' "$log"

# A kernel at another place, as KASLR has it: kallsyms is slid by chance, for the collector and for
# netto check alone. Frames still come from where the image truly is, where no text is known: none of
# these may get out, and nothing of the slid ones.
slid_dir=$work/slid slid_log=$work/slid.json
"$here/find_addresses.py" --slide "$work/kallsyms"
slid=(unshare --mount sh -c 'mount --bind "$0" /proc/kallsyms && exec "$@"' "$work/kallsyms")
start "${slid[@]}" "$bin/netto-collector" --runtime-dir="$slid_dir" 2> "$work/slid.err"
collector=$started
wait_for 60 test -S "$slid_dir/collector.sock" || { not_ok slid "no collector: $(cat "$work/slid.err")"; finish; }
touch "$slid_log"
chown 65532 "$slid_log"
start setpriv --reuid=65532 --regid=65533 --clear-groups "$bin/netto-aggregator" --runtime-dir="$slid_dir" \
  --log-file="$slid_log" --prometheus=127.0.0.1:24139 2>> "$work/slid.err"
aggregator=$started
load_program fifth_one
packets
curl -sf http://127.0.0.1:24139/metrics > "$work/metrics"
timeout 10 "$here/find_addresses.py" --hello "$slid_dir/collector.sock" > "$work/hello"
cp "$slid_dir/ring" "$slid_dir/symbols" "$work"
unload_program
kill "$aggregator" "$collector"
wait "$aggregator" "$collector"
"${slid[@]}" "$bin/netto" check > "$work/check"
"${slid[@]}" "$bin/netto" check --json > "$work/check.json"
cat "$work"/{ring,symbols,metrics,hello,slid.json,check,check.json} > "$work/all"
"$here/find_addresses.py" --kallsyms "$work/kallsyms" "$work"/{all,slid.err} > "$work/found"
check nothing_tells_where_a_slid_kernel_is "$(tail -3 "$work/found")" test $? = 0
sed -n '1s/^/   /p' "$work/found"
check the_slid_image_is_looked_for "$(head -1 "$work/found")" grep -q image "$work/found"
check the_slid_image_has_its_names "$(grep -c ' T ' "$work/symbols") names" \
  grep -q '^ffffffff81000000 T _text$' "$work/symbols"
check the_slid_modules_have_their_names "none in the table" grep -q '\[slid\]$' "$work/symbols"
"$here/find_addresses.py" --image "$work/ring" > "$work/found"
check no_frame_without_a_place_gets_out "$(tail -3 "$work/found")" test $? = 0
unmapped=$(awk '$1 == "netto_frames_unmapped_total" { print $2 }' "$work/metrics")
check there_were_frames_without_a_place "$unmapped" test "$unmapped" -gt 100
"$here/find_addresses.py" --kallsyms "$work/kallsyms" --plant "$work/planted"
"$here/find_addresses.py" --kallsyms "$work/kallsyms" "$work/planted" > "$work/found"
check what_tells_of_a_slid_kernel_would_be_found "$(grep -c planted "$work/found") of 6" test "$(grep -c planted "$work/found")" = 6
finish
