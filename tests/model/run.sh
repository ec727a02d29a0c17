#!/bin/sh
# tests/model/run.sh - the ring's memory ordering: right as it is, wrong without any part of it
#
# Needs g++ and Debian's relacy-dev; exits 77 without them. A weakened model is
# given ten times the schedules, for some of its failures are rare.
set -u
here=$(cd "$(dirname "$0")" && pwd)
orderings="WRITER_FENCE READER_FENCE INTENT_STORE INTENT_LOAD TAIL_STORE TAIL_LOAD
LATEST_STORE LATEST_LOAD MARK_STORE MARK_LOAD"
schedules=${1:-300000}

command -v g++ >/dev/null && [ -e /usr/include/relacy/relacy.hpp ] || {
	echo "model: skipped: needs g++ and relacy-dev"
	exit 77
}
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

# check NAME SCHEDULES [DEFINE]: build and run one model; its output stays in $dir/NAME.out
check() {
	# -w: Relacy's own headers warn
	g++ -std=c++11 -O2 -w "-DITERATIONS=$2" ${3:+"$3"} -o "$dir/$1" "$here/ring_model.cpp" ||
		exit 1
	"$dir/$1" >"$dir/$1.out" 2>&1
}

failed=0
if check as_written "$schedules"; then
	echo "model: as written: no violation in $schedules schedules"
else
	echo "model: as written: violation"
	cat "$dir/as_written.out"
	failed=1
fi
for ordering in $orderings; do
	if check "$ordering" $((schedules * 10)) "-D$ordering=rl::mo_relaxed"; then
		echo "model: $ordering relaxed: no violation found: the model or this ordering is idle"
		failed=1
	else
		echo "model: $ordering relaxed: $(grep -a -m1 -o 'assertion: [^)]*' "$dir/$ordering.out") fails"
	fi
done
exit $failed
