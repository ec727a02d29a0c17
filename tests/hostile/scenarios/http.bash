# The metrics endpoint under attack: another client still gets the page within a second, and what the
# aggregator keeps stays bounded. It follows many processes, so that the page is a large one.
http_anon_kb=2048    # above what it was: 48 connections of 16 KiB, and some pages

# In watch_attack's place: one who scrapes.
watch_scrapes() {
  local tries=0 answered=0 now most=0
  while lives "$1"; do
    tries=$((tries + 1))
    scrape 1 > /dev/null && answered=$((answered + 1))
    now=$(anon_kb "${honest[0]}")
    [ "${now:-0}" -le "$most" ] || most=$now
    sleep 0.2
  done
  echo "   $answered of $tries scrapes answered, $((most - served_before)) KiB more"
  # on a busy machine some fall to the server's own rule: one of a crowd that comes at once
  [ $((answered * 2)) -gt "$tries" ] || harm scrape "$answered of $tries answered"
  [ "$most" -le $((served_before + http_anon_kb)) ] || harm memory "aggregator: $served_before, then $most KiB"
}

# http KIND SECONDS PATCH HARM: as attack does
http() {
  local port
  use_side http
  http_port
  run_attack $stranger "$2" http "$port" "$1"
  check "http_${1}_is_refused" "$harms" test -z "$harms"
  start_side "$weakened/$3" "http_$1" || {
    not_ok "http_${1}_bites" "the collector weakened by $3 does not start"
    return
  }
  http_port
  run_attack $stranger "$2" http "$port" "$1"
  check "http_${1}_bites" "with $3 it did no harm to $4, but:${harms:- none}" did "$4"
  stop_side
}
http_port() { port=$(sed -n 's|.*listening on http://[^ ]*:\([0-9]*\)/.*|\1|p' "$side/${honest_users[0]}.err"); }

followed=
for _ in {1..256}; do
  start sleep 600
  followed=$followed${followed:+,}$started
done
honest_options=(--user-pids="$followed")
start_side "$bin" http
watch=watch_scrapes
http drip 14 no_deadline client
http crowd 4 no_room scrape
http deaf 4 page_a_request memory
http flood 3 keeps_places died
http oversized 3 big_headers memory
http wrong 2 answers_anything client
use_side http
stop_side
watch= honest_options=()
