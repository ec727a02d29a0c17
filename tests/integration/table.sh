#!/usr/bin/env bash
# The live table on real terminals, through tmux: it appears, follows the size, obeys keys, and gives
# the terminal back as it was, however it ends.
source "$(dirname "$0")/lib.bash"
command -v tmux > /dev/null || { skip table "needs tmux"; exit 0; }
export LANG=C.UTF-8
unset NO_COLOR LC_ALL LC_CTYPE COLUMNS LINES TMUX
term() { tmux -S "$work/tmux" -f /dev/null "$@"; }
trap 'term kill-server 2> /dev/null; clean_up' EXIT

start_collector() {
  start "$bin/fake_collector" --runtime-dir="$run_dir" --period=500 > "$work/collector.out"
  collector=$started
  wait_for 20 grep -q ready "$work/collector.out"
}

# What is typed: the table, what it said and how it ended, and the terminal before and after.
cat > "$work/table" << END
#!/bin/bash
echo \$\$ > $work/pid
exec $bin/netto-aggregator --runtime-dir=$run_dir --allow-root --table "\$@" 2> $work/err
END
cat > "$work/try" << END
#!/bin/bash
stty -g > $work/before
$work/table "\$@"
echo "status=\$?"
stty -g > $work/after
END
chmod +x "$work/table" "$work/try"

# open_terminal COLUMNS ROWS [NAME=VALUE...]: a new one with a shell in it
terminals=0
# without line editing the shell itself sends no control sequences
shell='bash --norc --noprofile --noediting'
open_terminal() {
  local size=(-x "$1" -y "$2")
  shift 2
  terminals=$((terminals + 1))
  terminal=t$terminals
  rm -f "$work/pid" "$work/before" "$work/after" "$work/err"
  term -u new-session -d -s $terminal "${size[@]}" \
    "env $* PS1='prompt> ' $shell"
  wait_for 10 shows 'prompt>'
}
type_keys() { term send-keys -t $terminal "$@"; }
screen() { term capture-pane -p -t $terminal; }
shows() { grep -qE -- "$1" <<< "$(screen)"; }
shows_none_of() { ! shows "$1"; }
resize() { term resize-window -t $terminal -x "$1" -y "$2"; }
run_table() { type_keys "$work/try $*" Enter; }
start_table() { run_table "$*" && wait_for 20 shows 'q quit' && wait_for 10 shows '^softirq_rx'; }
table_pid() { cat "$work/pid"; }
# as job control has it: the table's state, its process group, and the one that has the terminal
job() { sed 's/.*) //' "/proc/$(table_pid)/stat" 2> /dev/null | awk '{ print $1, $3, $6 }'; }
job_is() { # STATES yes|no: one of them, and whether the terminal is the table's
  local state group terminal
  read -r state group terminal < <(job)
  [[ $state == [$1] && ($group == "$terminal" && $2 == yes || $group != "$terminal" && $2 == no) ]]
}
is_stopped() { job_is T no; }
is_back() { job_is SR yes && shows '^softirq_rx +0\.300'; }
see() { echo "the screen is:"; screen | sed 's/^/   /'; echo "job: $(job)"; cat "$work/err" 2> /dev/null; }

# expect NAME COMMAND...: it succeeds within a while, or the screen tells what was instead
expect() {
  local name=$1
  shift
  if wait_for 10 "$@"; then ok "$name"; else not_ok "$name" "$(see)"; fi
}

# the prompt and what was there before are back, on the ordinary screen, with cursor and modes
before='/try'
is_restored() {
  shows "$before" && shows '^status=' && shows_none_of 'q quit' &&
    [ "$(term display-message -p -t $terminal '#{alternate_on} #{cursor_flag}')" = "0 1" ] &&
    cmp -s "$work/before" "$work/after"
}
ends_restored() { # NAME STATUS
  wait_for 10 test -e "$work/after"
  wait_for 5 is_restored
  if ! is_restored; then
    not_ok "$1" "$(see; diff "$work/before" "$work/after")"
  elif ! shows "^status=$2\$"; then
    not_ok "$1" "exit status: $(screen | grep '^status=')"
  else
    ok "$1"
  fi
}
is_gone() { ! grep -q '^State:[[:space:]]*[^Z[:space:]]' "/proc/$1/status" 2> /dev/null; }

start_collector || { not_ok table "the collector did not start"; finish; }

open_terminal 80 24
start_table -u $$
expect table_appears shows '^netto .* CPUs .* Hz'
expect figures_are_those_of_the_collector shows '^softirq_rx +0\.300 +15\.00 '
expect components_have_bars shows '^gro +0\.[0-9]+ +[0-9.]+ [▏▎▍▌▋▊▉█]'
expect steps_have_families_and_bars shows 'local_delivery ipv6 +0\.[0-9]+ +[0-9.]+ [▏▎▍▌▋▊▉█]'
expect followed_process_is_shown shows "^$(cat /proc/$$/comm) +$$ "
resize 200 50
expect table_grows_with_the_terminal shows 'packets coming in'
resize 20 5
expect tiny_terminal_gets_a_notice shows '^too small'
resize 1 1
resize 80 24
expect table_comes_back_with_the_room shows '^softirq_rx +0\.300'
type_keys '?'
expect question_mark_explains shows '^softirq_rx +packets coming in'
type_keys '?'
wait_for 5 shows '^softirq_rx +0\.'
type_keys Space
expect space_pauses shows PAUSED
paused=$(screen)
sleep 1.5
expect paused_screen_stands_still test "$paused" = "$(screen)"
type_keys Space
expect space_goes_on shows_none_of PAUSED

term pipe-pane -t $terminal "cat > $work/raw"
sleep 3
term pipe-pane -t $terminal
check redraw_sends_only_what_changed "$(wc -c < "$work/raw") bytes" test "$(wc -c < "$work/raw")" -lt 1500
check redraw_does_not_erase "an erase sequence" sh -c "! grep -q \$(printf '\033')'\[2\?J' $work/raw"

kill $collector
expect absent_collector_is_said shows "^waiting for netto-collector in $run_dir"
expect totals_are_kept_meanwhile shows '^softirq_rx +- +- +- +[0-9]+\.[0-9]+ '
start_collector
expect collector_that_came_back_is_shown shows '^softirq_rx +0\.300'

type_keys q
ends_restored q_ends_and_restores 0

# a shell that does not put the modes right by itself, as bash does
shell='sh -i'
open_terminal 80 24
shell='bash --norc --noprofile --noediting'
shell_said() { # COMMAND: run it in the terminal's shell, until it is done
  rm -f "$work/said"
  type_keys "$1; touch $work/said" Enter
  wait_for 5 test -e "$work/said"
}
shell_said "stty -g > $work/before"
type_keys "$work/table" Enter
wait_for 20 shows '^softirq_rx'
type_keys C-z
expect ctrl_z_gives_the_terminal_back shows 'Stopped'
wait_for 10 is_stopped
shell_said "stty -g > $work/after"
check ctrl_z_gives_the_modes_back "$(diff "$work/before" "$work/after")" cmp -s "$work/before" "$work/after"
rm -f "$work/after"
shell_said "clear; bg"
sleep 1.2
expect job_in_the_background_lets_the_terminal_be shows_none_of '^softirq_rx'
type_keys fg Enter
expect fg_takes_the_terminal_again is_back
kill -STOP "$(table_pid)"
wait_for 10 is_stopped
shell_said clear   # what it drew before would pass for what it draws
wait_for 10 shows_none_of '^softirq_rx'
type_keys fg Enter
expect fg_after_SIGSTOP_takes_the_terminal_again is_back
type_keys C-z
wait_for 10 is_stopped
pid=$(table_pid)
type_keys 'kill %1; kill -CONT %1' Enter
expect stopped_job_can_be_killed is_gone "$pid"

for how in TERM INT; do
  open_terminal 80 24
  start_table
  kill -$how "$(table_pid)"
  ends_restored "SIG${how}_ends_and_restores" 0
done
open_terminal 80 24
start_table
type_keys C-c
ends_restored ctrl_c_ends_and_restores 0
for how in SEGV ABRT; do
  open_terminal 80 24
  start_table
  kill -$how "$(table_pid)"
  ends_restored "SIG${how}_restores" '[0-9]+'
done

open_terminal 80 24
start_table "--log-file=$work/log.json"
type_keys C-s
lines=$(wc -l < "$work/log.json")
sleep 1
resize 100 30
log_goes_on() { [ "$(wc -l < "$work/log.json")" -ge $((lines + 6)) ]; }
check stopped_terminal_does_not_hold_up_the_log "$lines lines, then $(wc -l < "$work/log.json")" \
  wait_for 15 log_goes_on
kill "$(table_pid)"
ends_restored stopped_terminal_does_not_hold_up_the_end 0

open_terminal 80 24
start_table
pid=$(table_pid)
term kill-session -t $terminal
check closed_terminal_ends_it "still running" wait_for 10 is_gone "$pid"

colours() { term capture-pane -e -p -t $terminal | grep -cP '\033\[([0-9]+;)*(3[0-8]|4[0-8]|9[0-7])[;m]'; }
open_terminal 80 24
start_table
check bars_are_coloured "no colour" test "$(colours)" -gt 0
type_keys q
open_terminal 80 24 NO_COLOR=1
start_table
check NO_COLOR_is_honoured "$(colours) coloured lines" test "$(colours)" = 0
type_keys q
open_terminal 80 24 NO_COLOR=
start_table
check empty_NO_COLOR_asks_for_nothing "no colour" test "$(colours)" -gt 0
type_keys q
open_terminal 80 24 LC_ALL=C
start_table
screen > "$work/screen"
expect other_locale_gets_ascii sh -c "! LC_ALL=C grep -qP '[^\x00-\x7f]' $work/screen"
expect other_locale_gets_bars shows '^gro .*#'
ends() { type_keys q; wait_for 10 test -e "$work/after"; }
expect other_locale_obeys_q ends
for type in xterm-256color vt100 linux; do
  open_terminal 80 24 TERM=$type
  start_table
  expect "terminal_${type}_is_drawn_on" shows '^softirq_rx +0\.300'
  # the last two have no second screen: what was before is lost, what we drew has to go
  [ $type = xterm-256color ] || before=
  type_keys q
  ends_restored "terminal_${type}_is_restored" 0
done
before='/try'

# plain NAME ENVIRONMENT: figures come as text, without a control character
plain() {
  open_terminal 100 50 "$2"
  term pipe-pane -t $terminal "cat > $work/raw"
  run_table
  expect "$1_gets_plain_text" shows '^softirq_rx +0\.300'
  kill "$(table_pid)"
  wait_for 10 test -e "$work/after"
  check "$1_gets_no_control_sequence" "$(cat -v "$work/raw")" \
    sh -c "! LC_ALL=C grep -qP '[^\x0d\x0a\x20-\x7e]' $work/raw"
}
plain dumb_terminal TERM=dumb
check dumb_terminal_needs_no_message "$(cat "$work/err")" sh -c "! [ -s $work/err ]"
plain terminal_without_a_type TERM=
plain unknown_terminal TERM=nonsense
check unknown_terminal_is_said_in_one_line "$(cat "$work/err")" \
  test "$(grep -c 'unknown terminal type "nonsense"' "$work/err")/$(wc -l < "$work/err")" = 1/1

for size in "1 1" "39 24" "80 9"; do
  read -r columns rows <<< "$size"
  open_terminal 80 24
  type_keys "stty cols $columns rows $rows" Enter
  run_table
  wait_for 10 test -e "$work/after"
  expect "terminal_of_${columns}x${rows}_is_refused_with_69" shows '(^|> )status=69$'
  check "terminal_of_${columns}x${rows}_is_said_in_one_line" "$(cat "$work/err")" \
    test "$(grep -c "${columns}x${rows} .*40x10" "$work/err")/$(wc -l < "$work/err")" = 1/1
done
finish
