# Processes with hostile names, followed by an aggregator whose outputs are read by machines and shown
# on terminals.
port=24971
control='[\x00-\x09\x0b-\x1f\x7f]'   # all but the newline

# names PROGRAMS: follow them; the outputs are in $side
names() {
  side=$work/names
  rm -rf "$side"
  mkdir -p "$side"
  chmod 755 "$side"
  as $member
  start "${as[@]}" "$bin/hostile_names" "$side" 4 > "$side/names"
  client=$started
  wait_for 5 grep -q ^pids "$side/names"
  touch "$side/log" "$side/table" "$side/err"
  chown 65532 "$side/log" "$side/table"
  as 65532:65533
  start "${as[@]}" "$1/netto-aggregator" --runtime-dir="$names_run" --log-file="$side/log" --table \
    --prometheus=127.0.0.1:$port --user-pids="$(sed -n 's/^pids //p' "$side/names")" \
    > "$side/table" 2> "$side/err"
  aggregator=$started
  wait_for 5 has_lines "$side/log" 3
  curl -s "http://127.0.0.1:$port/metrics" > "$side/metrics"
  wait "$client"
  wait_for 5 eval '[ "$(grep -c "has ended" "$side/err")" -ge 100 ]'   # a message a process that ended
  kill "$aggregator"
  wait "$aggregator"
  names_count=$(grep -c ^name "$side/names")
}
plain() { ! LC_ALL=C grep -qaP "$control" "$1"; }
is_utf8() { iconv -f utf-8 -t utf-16 "$1" > /dev/null 2>&1; }
log_is_sound() { plain "$side/log" && is_utf8 "$side/log" && jq -e . "$side/log" > /dev/null 2>&1; }
# every name that is UTF-8 comes back byte for byte
log_round_trips() {
  jq -r '.processes[] | select(.alive) | "\(.pid) \(.comm | @base64)"' "$side/log" | sort -u > "$side/seen"
  sed -n 's/^name //p' "$side/names" | while read -r pid hex; do
    name=$(xxd -r -p <<< "$hex" | base64 -w0)
    xxd -r -p <<< "$hex" | iconv -f utf-8 -t utf-16 > /dev/null 2>&1 || continue
    grep -qxF "$pid $name" "$side/seen" || { echo "   $pid $hex is not in the log"; exit 1; }
  done
}
metrics_are_sound() {
  plain "$side/metrics" && is_utf8 "$side/metrics" && promtool check metrics < "$side/metrics" > "$side/promtool" 2>&1 &&
    [ "$(grep -c ^netto_process_user_cpu_seconds_total "$side/metrics")" = "$names_count" ] &&
    ! grep -qE '^(# EOF|netto_x)' "$side/metrics"
}
table_is_sound() { plain "$side/table" && ! LC_ALL=C grep -qaP '[\x80-\xff]' "$side/table"; }
messages_are_sound() {
  plain "$side/err" && is_utf8 "$side/err" &&
    [ "$(grep -vc '^netto-aggregator: ' "$side/err")" = 0 ]
}

start_side "$bin" names-side
names_run=$side/run
look_before
names "$bin"
check hostile_names_in_the_log "$(tail -c 300 "$side/log")" log_is_sound
check names_come_back_from_the_log "one does not" log_round_trips
check hostile_names_in_the_metrics "$(head -3 "$side/promtool" 2> /dev/null)" metrics_are_sound
check hostile_names_in_the_table "$(LC_ALL=C grep -aP "$control|[\x80-\xff]" "$side/table" | head -3)" table_is_sound
check names_are_in_the_table "none" grep -q "?\[2J" "$side/table"
check hostile_names_in_messages "$(LC_ALL=C grep -aP "$control" "$side/err" | head -3)" messages_are_sound
use_side names-side
see_damage
check hostile_names_do_no_harm "$harms" test -z "$harms"
for output in log metrics table messages; do
  names "$weakened/raw_$output"
  is_sound=$([ $output = log ] || [ $output = table ] && echo ${output}_is_sound || echo ${output}_are_sound)
  check "hostile_names_in_${output}_bite" "with raw_$output nothing is wrong" eval "! $is_sound"
done
use_side names-side
stop_side
