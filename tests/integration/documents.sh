#!/usr/bin/env bash
# What SECURITY.md names as proof is there: tests by their names, files by their paths.
source "$(dirname "$0")/lib.bash"
root=$(realpath "$here/../..")
cd "$root" || exit
exists() {
  case $1 in
    */*.\*.*) compgen -G "$1" > /dev/null ;;
    /*) true ;;   # of the machine
    */*) [ -e "$1" ] ;;
    test_*) [ -e "tests/unit/$1.c" ] ;;
    *.sh) [ -e "tests/integration/$1" ] ;;
    *) grep -rqwE "$1(_is_refused)?" tests/unit tests/integration tests/hostile --include='*.c' --include='*.sh' \
      --include='*.bash' || [ -e "tests/hostile/scenarios/$1.bash" ] ;;
  esac
}
missing=
count=0
while read -r name; do
  case $name in netto* | -* | *.*_*) continue ;; esac   # programs, options, sysctls
  count=$((count + 1))
  exists "$name" || missing="$missing $name"
done < <(grep -oE '`[^` ]+`' SECURITY.md | tr -d '`' | sort -u)
check what_security_md_names_is_there "$missing" test -z "$missing" -a "$count" -gt 20
finish
