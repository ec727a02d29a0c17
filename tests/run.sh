#!/usr/bin/env bash
# Installs what the tests need, builds (release, and ASan + UBSan), runs everything.
# Ends with "N passed, N failed, N skipped"; exit 0 only if nothing failed.
#
#   tests/run.sh                 everything
#   tests/run.sh unit            only that level: unit, integration, vm, model, fuzz, hostile
set -uo pipefail
cd "$(dirname "$0")/.."
levels=("${@:-unit}")
[ $# -gt 0 ] || levels=(unit integration vm model fuzz hostile)

# A test is one line: "ok NAME", "not ok NAME: why" or "skip NAME: why"; whatever else a test
# prints is for the reader. cmocka writes the same as TAP: "ok 1 - NAME", with "# skip" for a skip.
passed=0 failed=0 skipped=0
count() { # FILE
  passed=$((passed + $(grep -E '^ok ' "$1" | grep -cvi '# skip')))
  failed=$((failed + $(grep -c '^not ok ' "$1")))
  skipped=$((skipped + $(grep -ciE '^(ok .*# skip|skip )' "$1")))
}

output=$(mktemp)
trap 'rm -f "$output"' EXIT
# Run one command that prints test lines. One that ends badly without saying which test failed
# (a crash, a time-out) is a failure of its own.
run() { # NAME SECONDS COMMAND...
  local name=$1 seconds=$2 status
  shift 2
  echo "== $name"
  timeout --kill-after=10 "$seconds" "$@" > "$output" 2>&1
  status=$?
  grep -vE '^(ok |1\.\.)' "$output" | sed 's/^/   /'
  if [ $status -ne 0 ] && ! grep -q '^not ok ' "$output"; then
    echo "not ok $name: exit status $status" | tee -a "$output"
  fi
  if [ $status -eq 0 ] && ! grep -qE '^(ok|not ok|skip) ' "$output"; then
    echo "not ok $name: it ran no test" | tee -a "$output"
  fi
  count "$output"
}

build() { # PRESET
  echo "== build $1"
  if cmake --preset "$1" > "$output" 2>&1 && cmake --build --preset "$1" >> "$output" 2>&1; then
    echo "ok build $1" > "$output"
  else
    tail -30 "$output"
    echo "not ok build $1" > "$output"
  fi
  count "$output"
}

unit() {
  local preset program
  for preset in release asan; do
    for program in build/$preset/bin/test_*; do
      CMOCKA_MESSAGE_OUTPUT=TAP run "unit $preset $(basename "$program")" 120 "$program"
    done
  done
  for program in build/asan/bin/fuzz_*; do
    run "unit asan $(basename "$program")" 60 "$program" "tests/fuzz/seeds/$(basename "${program/fuzz_/}")"
  done
  run "unit accuracy" 60 tests/accuracy/stacks.py --self-test tests/data/stacks/*/*.txt
}

integration() {
  local preset script
  for preset in release asan; do
    for script in tests/integration/*.sh; do
      run "integration $preset $(basename "$script")" 600 "$script" "build/$preset/bin"
    done
  done
}

# The oldest kernel and 6.12, in emulated guests; tests/vm/run.sh all has the others.
vm() { run vm 1500 tests/vm/run.sh; }
model() { run model 600 tests/model/run.sh; }
fuzz() { run fuzz 300 tests/fuzz/run.sh 3; }
# Release only: the sanitizers would break the memory limits it holds attackers to.
hostile() { run hostile 1500 tests/hostile/run.sh build/release/bin; }

deploy/install-packages.sh test || exit
build release
build asan
for level in "${levels[@]}"; do
  case $level in
    unit | integration | vm | model | fuzz | hostile) "$level" ;;
    *) echo "tests/run.sh: $level: one of unit, integration, vm, model, fuzz, hostile" >&2; exit 64 ;;
  esac
done

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
