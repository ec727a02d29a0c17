# Not of the group: kept out by the directory, and where that was loosened by the files' modes and
# the collector's look at the peer.
start_side "$bin" stranger
run_attack $stranger 1 stranger
check stranger_is_refused "$harms" test -z "$harms"
chmod 755 "$side/run"
chmod 666 "$side/run/collector.sock"
run_attack $stranger 1 stranger
check stranger_in_a_loosened_directory_is_refused "$harms" test -z "$harms"
stop_side
start_side "$weakened/admits_strangers" stranger
chmod 755 "$side/run"
chmod 666 "$side/run/collector.sock"
run_attack $stranger 1 stranger
check stranger_bites "with admits_strangers:$harms" \
  eval 'grep -q "a hello" <<< "$harms" && grep -q "read the ring" <<< "$harms"'
stop_side
