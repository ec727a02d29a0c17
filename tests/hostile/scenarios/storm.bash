# Softirqs, samples and deep stacks, as many as can be had: what does not fit is counted, and what the
# kernel says it took comes. Then once more while nobody drains, so that something surely does not fit.
storm() { # PROGRAMS NAME
  start_side "$1" "$2" --frequency=10000
  run_attack $stranger 4 storm
  as $stranger
  "${as[@]}" "$bin/hostile_storm" "$side/run" 2 &
  kill -STOP "$collector"
  wait $!
  kill -CONT "$collector"
  for uid in "${honest_users[@]}"; do wait_for 5 has_lines "$side/$uid.json" $(($(lines "$side/$uid.json") + 3)); done
  unexplained=$(unexplained_samples 200)
  ring_full=$(jq -sr 'map(.lost.bpf_ring_full) | add' "$side/65532.json")
  taken=$(jq -sr 'map(.samples.taken) | add' "$side/65532.json")
  stop_side
}
storm "$bin" storm
check storm_does_no_harm "$harms" test -z "$harms"
check storms_samples_are_all_accounted_for "$unexplained" test -z "$unexplained"
check storm_that_nobody_drains_is_counted_as_lost "$taken samples taken, $ring_full lost" \
  test "$ring_full" -gt 0
storm "$weakened/uncounted_losses" storm_bites
check storm_bites "with uncounted_losses every sample is accounted for" test -n "$unexplained"
