# What waits in the runtime directory for a collector that starts there: links to a victim, FIFOs,
# directories, files of others; and what a killed collector left, which must not be in the way.
precious() { cmp -s "$victim" <<< precious; }

# planted KIND MODE OWNER [PROGRAMS]: plant, then start a collector there; its status in $status
planted() {
  local kind=$1 mode=$2 owner=$3 programs=${4:-$bin}
  side=$work/planted
  rm -rf "$side"
  mkdir -m 777 "$side"
  mkdir -m 777 "$side/run"
  victim=$side/victim
  echo precious > "$victim"
  chown 65533:65533 "$side/run" "$victim"
  if [ "$kind" = linked-directory ]; then
    mv "$side/run" "$side/elsewhere"
    as $stranger
    "${as[@]}" "$bin/hostile_planted" "$side/run" 1 "$kind" "$side/elsewhere"
  else
    as $stranger
    "${as[@]}" "$bin/hostile_planted" "$side/run" 1 "$kind" "$victim"
    chmod "$mode" "$side/run"
    chown "$owner" "$side/run"
  fi
  timeout 3 "$programs/netto-collector" --runtime-dir="$side/run" 2> "$side/collector.err"
  status=$?
}
# It ran on what was planted, or wrote through it. A directory is in the way of any collector: no
# weakness makes that one bite.
did_harm() { [[ $status != 7[37] ]] || ! precious; }
while read -r kind mode owner want patch name; do
  planted "$kind" "$mode" "$owner"
  check "collector_refuses_$name" "exit status $status: $(cat "$side/collector.err")" \
    eval '[ $status = '"$want"' ] && precious'
  [ "$patch" != - ] || continue
  planted "$kind" "$mode" "$owner" "$weakened/$patch"
  check "${name}_bite" "with $patch: exit status $status: $(cat "$side/collector.err")" did_harm
done << 'END'
symlink 750 65533:65533 73 follows_links links_in_its_directory
symlink 777 65533:65533 77 follows_links directory_that_others_can_write
symlink 755 65529:65529 77 follows_links directory_of_somebody_else
fifo 750 65533:65533 73 removes_anything fifos_in_its_directory
directory 750 65533:65533 73 - directories_in_its_directory
file 750 65533:65533 77 removes_anything files_of_somebody_else
linked-directory - - 73 follows_links directory_that_is_a_link
END

# stale PROGRAMS NAME: a collector is killed, also while it starts, and another one comes
stale() {
  local name
  start_side "$1" "$2"
  kill -9 "$collector"
  wait "$collector" 2> /dev/null
  for name in ring symbols collector.sock; do ln "$side/run/$name" "$side/run/$name.new"; done
  before=$(lines "$side/65532.json")
  start "$1/netto-collector" --runtime-dir="$side/run" 2> "$side/collector.err"
  collector=$started
}
stale "$bin" stale
check stale_files_are_not_in_the_way "$(cat "$side/collector.err")" \
  wait_for 10 has_lines "$side/65532.json" $((before + 3))
stop_side
stale "$weakened/leaves_stale" stale_bites
check stale_files_bite "with leaves_stale another collector starts" wait_for 10 eval '! lives $collector'
stop_side
