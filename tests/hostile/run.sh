#!/usr/bin/env bash
# Attacks of unprivileged users on a collector and its aggregators. Each runs beside two honest
# aggregators, who must not notice, and then against a build that a patch of weaken/ has weakened on
# purpose: there it must do its harm, or the test is worth nothing.
#
#   tests/hostile/run.sh BIN [NAME...]      only these attacks
source "$(dirname "$0")/../integration/lib.bash"
need_root hostile
hostile=$(realpath "$(dirname "$0")")
source "$hostile/lib.bash"
wanted=" ${*:2} "
is_wanted() { [ "$wanted" = "  " ] || [[ $wanted == *" $1 "* ]]; }

build_weakened
start nice -n 10 "$here/traffic.py" udp 3600

# attack NAME PATCH HARMS USER SECONDS CLIENT [ARGUMENT...]: nothing happens to the real build, all of
# HARMS to the weakened one. @pid and @honest are the pids of the collector and of the honest.
attack() {
  local name=$1 patch=$2 harm=$3
  is_wanted "$name" || return
  shift 3
  [ -n "${real_run:-}" ] || { start_side "$bin" real; real_run=$side; }
  use_side real
  run_attack "$@"
  check "${name}_is_refused" "$harms" test -z "$harms"
  bites "$name" "$patch" "$harm" "$@"
}
bites() {
  local name=$1 patch=$2 harm=$3
  shift 3
  if [ ! -x "$weakened/$patch/netto-collector" ]; then
    not_ok "${name}_bites" "weaken/$patch.patch does not apply or build: $(tail -3 "$weakened/$patch.log")"
    return
  fi
  start_side "$weakened/$patch" "$name" || {
    not_ok "${name}_bites" "the collector weakened by $patch does not start"
    return
  }
  run_attack "$@"
  check "${name}_bites" "with $patch it did no harm to $harm, but:${harms:- none}" did "$harm"
  stop_side
}
did() { # HARMS
  local harm
  for harm in $1; do grep -qw -- "$harm" <<< "$harms" || return 1; done
}

member=65530:65533 stranger=65529:65529
attack garbage reads_clients client $member 2 garbage
attack flood keeps_refused newcomer $member 4 flood
attack slot_hogging no_share newcomer $member 3 slots
# one who comes back at once may find that his last place is not free yet
accomplice=65519:65533 newcomer_users=({65520..65528})
attack slot_hogging_by_two no_last_slots newcomer $member 3 slots
accomplice= newcomer_users=(65528)
attack never_reading waiting_bell gap $member 5 deaf
attack hangup_while_ringing fatal_bell died $member 6 hangup
if [ "$(printf '%s\n' 6.16 "$(uname -r)" | sort -V | head -1)" = 6.16 ]; then
  attack lingering_descriptors takes_descriptors newcomer $member 9 linger
  attack lingering_descriptors_sampling closes_while_sampling gap $member 4 linger
else
  skip lingering_descriptors_is_refused "before Linux 6.16 they hold up the control thread for a while"
fi
attack descriptors_in_flight hands_out_descriptors newcomer $member 6 inflight
for name in write_files truncate_files remap_files reopen_files; do
  attack $name writable_files client $member 1 files ${name%_files}
done
attack change_directory writable_directory client $member 1 files directory
attack control_processes shared_user client $member 1 process control @pid @honest
attack look_into_processes shared_user client $member 1 process look @pid @honest
attack look_into_collector_as_its_user collector_dumpable client 65533:65533 1 process look @pid
attack look_into_sibling_as_its_user aggregator_dumpable client 65532:65533 1 process look @honest1
attack cardinality_bomb row_a_name "memory series" $stranger 6 bomb

[ -z "${real_run:-}" ] || {
  use_side real
  unexplained=$(unexplained_samples 100)
  check every_sample_of_all_attacks_is_accounted_for "$unexplained" test -z "$unexplained"
  echo "   $(figures)"
  stop_side
}
for script in "$hostile"/scenarios/*.bash; do
  is_wanted "$(basename "$script" .bash)" && source "$script"
done
finish
