# lib.bash - a collector with two honest aggregators beside an attack, and what harms them
#
# A side is one such set, in $work/NAME; the first of the honest serves metrics, too. Harms are words:
# client (an attempt got through), newcomer (an honest one was not greeted), scrape (no page within a
# second), series (the page grows), gap (the collector's loop stood still for two periods), accounts
# (an honest one misses records), files and memory (they do not stay flat), died.
honest_users=(65532 65531)
newcomer_users=(65528)
honest_options=()            # of the one that serves metrics
series_may_grow=300          # what the kernel does for the first time; all of it is a few hundred
period_ns=500000000
anon_max_kb=32768            # the aggregator's budget
declare -A collector_of honest_of lines_before

# as UID:GID: the words in front of a command to run it as that user, in $as
as() { as=(setpriv --reuid="${1%:*}" --regid="${1#*:}" --clear-groups); }
lines() { wc -l < "$1"; }
has_lines() { [ "$(lines "$1")" -ge "$2" ]; }
fds() { ls "/proc/$1/fd" 2> /dev/null | wc -l; }
anon_kb() { awk '/^RssAnon/ { print $2 }' "/proc/$1/status" 2> /dev/null; }
lives() { kill -0 "$1" 2> /dev/null; }

# Copy the sources once and build them once; each patch then costs the files that it touches. The
# programs end up in $weakened/PATCH.
build_weakened() {
  local source patch name
  source=$(realpath "$hostile/../..")
  weakened=$work/weakened
  mkdir -p "$weakened/source"
  chmod 755 "$weakened"
  (cd "$source" && cp -r CMakeLists.txt proto common bpf collector aggregator deploy "$weakened/source")
  cmake -S "$weakened/source" -B "$weakened/build" -DBUILD_TESTING=OFF -DCMAKE_BUILD_TYPE=Debug \
    -G Ninja > "$weakened/all.log" 2>&1 && build_programs all || {
    not_ok weakened_builds "the sources do not build: $(tail -5 "$weakened/all.log")"
    finish
  }
  for patch in "$hostile"/weaken/*.patch; do
    name=$(basename "$patch" .patch)
    mkdir "$weakened/$name"
    (cd "$weakened/source" && patch -p1 -s -i "$patch") > "$weakened/$name.log" 2>&1 || {
      not_ok "patch_${name}_applies" "$(cat "$weakened/$name.log")"
      rm -r "$weakened/source"/{proto,common,bpf,collector,aggregator,deploy}
      (cd "$source" && cp -r proto common bpf collector aggregator deploy "$weakened/source")
      continue
    }
    build_programs "$name" && cp "$weakened/build/bin"/netto-* "$weakened/$name"
    (cd "$weakened/source" && patch -R -p1 -s -i "$patch")
  done
}
build_programs() { # LOG
  cmake --build "$weakened/build" --target netto-collector netto-aggregator > "$weakened/$1.log" 2>&1
}

# start_side PROGRAMS NAME [COLLECTOR OPTION...]
start_side() {
  local programs=$1 uid log options=(--prometheus=127.0.0.1:0 "${honest_options[@]}")
  side=$work/$2
  mkdir -p "$side"
  chmod 755 "$side"
  start "$programs/netto-collector" --runtime-dir="$side/run" "${@:3}" 2> "$side/collector.err"
  collector=$started
  wait_for 20 test -S "$side/run/collector.sock" || {
    sed 's/^/   /' "$side/collector.err"
    return 1
  }
  honest=()
  for uid in "${honest_users[@]}"; do
    log=$side/$uid.json
    touch "$log"
    chown "$uid" "$log"
    as "$uid:65533"
    start "${as[@]}" "$programs/netto-aggregator" --runtime-dir="$side/run" --log-file="$log" \
      "${options[@]}" 2> "$side/$uid.err"
    honest+=("$started")
    options=()
  done
  for uid in "${honest_users[@]}"; do wait_for 5 has_lines "$side/$uid.json" 2; done
  collector_of[$2]=$collector
  honest_of[$2]=${honest[*]}
}
use_side() { # NAME
  side=$work/$1
  collector=${collector_of[$1]}
  read -ra honest <<< "${honest_of[$1]}"
}
scrape() { # SECONDS: a page
  curl -sf --max-time "$1" "$(sed -n 's/.*listening on //p' "$side/${honest_users[0]}.err")"
}
series() { scrape 5 | grep -c '^netto_'; }
stop_side() {
  local pid
  kill "${honest[@]}" "$collector" 2> /dev/null
  for pid in "$collector" "${honest[@]}"; do
    wait_for 3 eval "! lives $pid" || kill -9 "$pid"
  done
  wait "$collector" "${honest[@]}" 2> /dev/null
}

# run_attack UID:GID SECONDS CLIENT [ARGUMENT...]: the harm done goes to $harms
run_attack() {
  local user=$1 seconds=$2 client=$3 arguments=("${@:4}") pid status
  arguments=("${arguments[@]/@pid/$collector}")
  arguments=("${arguments[@]/@honest1/${honest[0]}}")
  arguments=(${arguments[*]/@honest/${honest[*]}})
  look_before
  if [ -n "${accomplice:-}" ]; then
    as "$accomplice"
    start "${as[@]}" setsid timeout $((seconds + 20)) "$bin/hostile_$client" "$side/run" "$seconds" \
      "${arguments[@]}" > /dev/null 2>&1
  fi
  as "$user"
  # in a session of its own: SIGCONT may go to everybody in one's session
  "${as[@]}" setsid timeout $((seconds + 20)) "$bin/hostile_$client" "$side/run" "$seconds" \
    "${arguments[@]}" > "$side/client.out" 2>&1 &
  pid=$!
  sleep 0.3
  "${watch:-watch_attack}" "$pid"
  wait "$pid"
  status=$?
  case $status in
    0) ;;
    1) harm client "$(grep 'got through' "$side/client.out" | paste -sd,)" ;;
    *) harm attacker "$(tail -1 "$side/client.out")" ;;
  esac
  see_damage
}
harm() { harms="$harms $1 ($2)"; }

# Newcomers come and go until the attack ends.
watch_attack() {
  local count newcomer_done= turn=0
  while lives "$1"; do
    as "${newcomer_users[turn++ % ${#newcomer_users[@]}]}:65533"
    "${as[@]}" timeout 6 "$bin/hostile_newcomer" "$side/run" 1 > /dev/null || {
      [ -n "$newcomer_done" ] || harm newcomer "not greeted"
      newcomer_done=1
    }
    count=$(fds "$collector")
    [ "$count" -gt "$peak" ] && peak=$count
    sleep 0.2
  done
}

# What see_damage compares with.
look_before() {
  local uid
  harms= peak=0
  for uid in "${honest_users[@]}"; do lines_before[$uid]=$(lines "$side/$uid.json"); done
  files_before=$(fds "$collector")
  anon_before=$(anon_kb "$collector")
  served_before=$(anon_kb "${honest[0]}")
  series_before=$(series)
}

see_damage() {
  local uid log from account pid anon
  lives "$collector" || harm died "$(tail -1 "$side/collector.err")"
  wait_for 3 eval '[ "$(fds $collector)" -le '"$files_before"' ]' ||
    harm files "$files_before, then $(fds "$collector")"
  # slots, and a few on their way in or out
  [ "$peak" -le $((files_before + 64 + 8)) ] || harm files "$peak"
  anon=$(anon_kb "$collector")
  [ "${anon:-0}" -le $((anon_before + 512)) ] || harm memory "collector: $anon_before, then $anon KiB"
  for pid in "${honest[@]}"; do
    lives "$pid" || harm died "an honest one"
    anon=$(anon_kb "$pid")
    [ "${anon:-0}" -le $anon_max_kb ] || harm memory "aggregator: $anon KiB"
  done
  see_series
  for uid in "${honest_users[@]}"; do
    log=$side/$uid.json
    from=${lines_before[$uid]}
    if wait_for 5 has_lines "$log" $((from + 3)); then
      account=$(tail -n +"$from" "$log" | account)
      [ -z "$account" ] || harms="$harms $account"
    else
      harm gap "no line for 5 s"
    fi
  done
}

# A component or step that takes time for the first time adds one; a name never does.
see_series() {
  local count
  count=$(series)
  [ "$count" -gt 0 ] || harm scrape "no page within 5 s"
  [ "$count" -le $((series_before + series_may_grow)) ] || harm series "$series_before, then $count"
}

# What is wrong with the accounts of consecutive lines, as harms. The first one is there for its
# last_seq alone.
account() {
  jq -sr --argjson period $period_ns '
    . as $l | [range(1; length)] |
    [ (map(select($l[.].first_seq != $l[. - 1].last_seq + 1)) | select(length > 0)
        | "accounts (first_seq does not follow last_seq)"),
      (map(select($l[.] | .delivered + .lost.ring_overrun + .lost.decode != .last_seq - .first_seq + 1))
        | select(length > 0) | "accounts (delivered and lost are not all that was published)"),
      (map($l[.] | .lost.decode + .gaps) | add | select(. > 0) | "accounts (\(.) gaps or undecodable)"),
      (map($l[.].period_ns) | max | select(. >= 2 * $period) | "gap (\(. / 1000000) ms)")
    ] | join(" ")'
}

# unexplained_samples SLACK: what the kernel says it took must have come, or be counted as lost on
# the way. Between the last drain and the snapshot a few more are taken.
unexplained_samples() {
  local uid
  for uid in "${honest_users[@]}"; do
    tail -n +3 "$side/$uid.json" | jq -sr --argjson slack "$1" '
      (map(.samples.taken) | add) as $taken |
      (map(.samples.network + .samples.other + .lost.encode) | add) as $came |
      (map(.lost.ring_overrun) | add) as $lost |
      select($taken - $came > $lost + $slack or $came - $taken > $slack) |
      "taken \($taken), came \($came), lost \($lost)"'
  done
}

# What the side looks like at its end, for the reader.
figures() {
  jq -sr '"longest period \(map(.period_ns) | max / 1e6 | floor) ms of \(length), " +
    "\(map(.delivered) | add) records"' "$side/${honest_users[0]}.json" | tr '\n' ' '
  echo "- collector: $(fds "$collector") descriptors, $(anon_kb "$collector") KiB;" \
    "aggregators: $(anon_kb "${honest[0]}"), $(anon_kb "${honest[1]}") KiB"
}
