# expected.bash - reads expected.tsv for the kernel named in $kernel; source it

# expected KIND: "name<TAB>want", one a line; the kernel's own row before that of "all"
expected() {
  awk -F'\t' -v kernel="$kernel" -v kind="$1" '$2 != kind { next }
    $1 == kernel { own[$3] = $4 } $1 == "all" { any[$3] = $4 }
    END { for (n in any) if (!(n in own)) own[n] = any[n]; for (n in own) print n "\t" own[n] }' \
    "$(dirname "${BASH_SOURCE[0]}")/expected.tsv" | sort
}
expected_one() { expected "$1" | awk -F'\t' -v name="$2" '$1 == name { print $2 }'; } # KIND NAME
