# Somebody of the group plays the collector, or replaces its ring or symbols, in a directory that was
# loosened: the aggregator must not take it. Others, with a directory of their own, go on.
maps_ring() { grep -q "/ring" "/proc/$1/maps"; }

# impostor KIND PROGRAMS: an aggregator of PROGRAMS beside it; its pid in $aggregator
impostor() {
  side=$work/impostor-$1
  mkdir -p "$side"
  chmod 755 "$side"
  if [ "$1" != socket ]; then   # it looks at its files with each snapshot: give the attacker time
    start "$bin/netto-collector" --runtime-dir="$side/run" --period=60000
    wait_for 20 test -S "$side/run/collector.sock"
  else
    mkdir "$side/run"
    chown 65533:65533 "$side/run"
  fi
  impostor_collector=$started
  chmod 777 "$side/run"
  as $member
  start "${as[@]}" "$bin/hostile_impostor" "$side/run" 20 "$1"
  client=$started
  sleep 0.5
  as 65532:65533
  start "${as[@]}" "$2/netto-aggregator" --runtime-dir="$side/run" --log-file=/dev/null 2> "$side/aggregator.err"
  aggregator=$started
}
leave() {
  kill "$aggregator" "$client"
  wait "$aggregator" "$client"
  [ "$1" = socket ] || { kill "$impostor_collector"; wait "$impostor_collector"; }
  rm -rf "$side"
}
start_side "$bin" beside_impostors
look_before
for kind in socket ring symbols; do
  impostor $kind "$bin"
  check "impostors_${kind}_is_refused" "$(cat "$side/aggregator.err")" \
    wait_for 5 grep -q "not trusted" "$side/aggregator.err"
  check "impostors_${kind}_is_not_read" "it is mapped" wait_for 2 eval '! maps_ring $aggregator'
  leave $kind
  impostor $kind "$weakened/believes_anybody"
  check "impostors_${kind}_bites" "with believes_anybody it is not mapped: $(cat "$side/aggregator.err")" \
    wait_for 5 maps_ring "$aggregator"
  leave $kind
done
use_side beside_impostors
see_damage
check impostors_do_no_harm_beside "$harms" test -z "$harms"
stop_side
