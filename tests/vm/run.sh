#!/usr/bin/env bash
# run.sh - netto under Debian's kernels, each in a guest of its own (QEMU, emulated: no KVM)
#
#   tests/vm/run.sh [KERNEL...]     5.10 6.1 6.12 newest rt, all; without a name 5.10 and 6.12
#
# Needs a built build/release; takes minutes. Kernels stay in ${XDG_CACHE_HOME:-~/.cache}/netto-vm.
# Test names begin with the kernel's. $VM_RESULTS names a directory for the guests' files. With
# VM_STACKS=1 the file stacks is among them: what stacks each kernel had, to choose test data from.
set -uo pipefail
here=$(realpath "$(dirname "$0")")
root=$(realpath "$here/../..")
bin=$root/build/release/bin
cache=${XDG_CACHE_HOME:-$HOME/.cache}/netto-vm
boot_seconds=${VM_SECONDS:-900}
work=$(mktemp -d /var/tmp/netto-vm.XXXXXX)
guests=()
trap 'kill "${guests[@]}" 2>/dev/null; wait; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# What a guest may load, by request or when the kernel asks for it; those it lacks are left out.
modules=(virtio_pci virtio_net virtio_blk veth dummy tun macvlan vxlan wireguard bridge br_netfilter
  nf_conntrack nf_tables nft_ct nft_counter nft_masq nft_chain_nat nf_nat sch_fq sch_tbf sch_ingress
  sch_netem cls_u32 cls_bpf act_mirred pktgen crc32c_generic libcrc32c crc32c-intel)
# What a guest runs beside the programs; busybox stands in for the rest.
programs=(bash busybox jq ip tc nft bpftool chrt setpriv)

# copy_program FILE DIRECTORY: into the guest, with the libraries it is linked to
copy_program() {
  local file=$1 library
  install -D "$file" "$work/base$2/$(basename "$1")"
  for library in $(ldd "$file" 2>/dev/null | grep -oE '/[^ ]+'); do
    [ -e "$work/base$library" ] || install -D "$library" "$work/base$library"
  done
}

archive() { (cd "$1" && find . | busybox cpio -o -H newc 2>/dev/null); }

make_base() {
  local name
  for name in "${programs[@]}"; do
    copy_program "$(realpath "$(command -v "$name")")" /usr/bin
  done
  ln -sf bash "$work/base/usr/bin/sh"
  [ -e "$work/base/usr/bin/busybox" ] || return 1
  for name in "$bin"/netto "$bin"/netto-* "$bin"/vm_* "$bin"/test_{filter,aggregator_sandbox} \
    "$bin"/{calls,sockets_exact} ${VM_STACKS:+"$bin/list_stacks"}; do copy_program "$name" /netto/bin; done
  mkdir -p "$work/base/netto/tests" "$work/base/etc"
  mkdir "$work/base/netto/tests/vm"
  cp "$here"/{guest.sh,preempted.bash} "$work/base/netto/tests/vm"
  mkdir "$work/base/netto/tests/integration"
  cp "$here/../integration/lib.bash" "$work/base/netto/tests/integration"
  clang -O2 -target bpf -c "$here/pass.bpf.c" -o "$work/base/netto/tests/vm/pass.bpf.o" || return
  echo 'root:x:0:0:root:/root:/usr/bin/bash' > "$work/base/etc/passwd"
  echo 'root:x:0:' > "$work/base/etc/group"
  install -m 755 "$here/init" "$work/base/init"
  archive "$work/base" > "$work/base.cpio"
}

# make_initrd KERNEL: programs and modules, unpacked already: the guest's time is dear
make_initrd() {
  local kernel=$cache/$1 tree=$work/$1.tree version module file
  version=$(cat "$kernel/release")
  for module in "${modules[@]}"; do
    modprobe -d "$kernel" -S "$version" --show-depends "$module" 2>/dev/null
  done | awk '$1 == "insmod" { print $2 }' | sort -u > "$work/$1.modules"
  while read -r file; do
    module=$tree${file#"$kernel"}
    install -D -m 644 "$file" "$module"
    case $module in *.xz) xz -d "$module" ;; *.zst) zstd -q -d --rm "$module" ;; esac
  done < "$work/$1.modules"
  cp "$kernel/lib/modules/$version"/modules.{order,builtin} "$tree/lib/modules/$version/"
  depmod -b "$tree" "$version" 2>/dev/null
  (cat "$work/base.cpio"; archive "$tree") > "$work/$1.cpio"
  rm -rf "$tree"
}

# boot KERNEL: until it switches itself off; the test lines are in $work/KERNEL.out. One thread for both
# of its CPUs: emulated by two, a kernel can die of patching its own code while the other CPU runs it.
boot() {
  truncate -s 64M "$work/$1.disk"
  timeout --kill-after=10 "$boot_seconds" qemu-system-x86_64 -accel tcg,thread=single -cpu max -smp 2 -m 1024 \
    -nodefaults -no-user-config -display none -no-reboot -kernel "$cache/$1/vmlinuz" -initrd "$work/$1.cpio" \
    -append "console=ttyS0 quiet panic=-1 mitigations=off nowatchdog tsc=reliable random.trust_cpu=on rcupdate.rcu_expedited=1 ${VM_STACKS:+VM_STACKS=1}" \
    -serial "file:$work/$1.console" -serial "file:$work/$1.out" \
    -drive "file=$work/$1.disk,format=raw,if=virtio" \
    -netdev hubport,id=near,hubid=0 -device virtio-net-pci,netdev=near,romfile= \
    -netdev hubport,id=far,hubid=0 -device virtio-net-pci,netdev=far,romfile= < /dev/null > "$work/$1.qemu" 2>&1 &
  guest=$!
  wait "$guest"
}

# report KERNEL STATUS: the guest's lines and what its log says, with the kernel's name; a guest that
# did not come to its end is a failure
report() {
  local results=${VM_RESULTS:-$work}/$1.results
  mkdir -p "$results" && tar -C "$results" -xf "$work/$1.disk" 2>/dev/null
  {
    tr -d '\r' < "$work/$1.out"
    if ! grep -q '^guest ended: [01]' "$work/$1.out"; then
      echo "not ok guest: it did not come to its end (status $2): $(tail -c 200 "$work/$1.qemu")"
      tail -25 "$work/$1.console" | tr -d '\r' | sed 's/^/   /'
    elif [ -s "$results/cases" ]; then
      "$here/judge.sh" "$bin" "$1" "$results"
    fi
  } > "$work/$1.lines" 2>&1
  sed -E "s/^(ok|not ok|skip) /\1 $1_/" "$work/$1.lines"
  ! grep -q '^not ok ' "$work/$1.lines"
}

# run_kernel NAME: in a shell of its own; 1 if a test failed
run_kernel() {
  local suite package why started=$SECONDS
  guest=
  trap '[ -z "$guest" ] || kill "$guest" 2>/dev/null' EXIT
  trap 'exit 130' INT TERM
  IFS=$'\t' read -r suite package < <(awk -v name="$1" '$1 == name { print $2 "\t" $3 }' "$here/kernels.tsv")
  why=$("$here/fetch_kernel.sh" "$suite" "$package" "$cache/$1") || { echo "skip $1: $why"; return; }
  make_initrd "$1"
  boot "$1"
  report "$1" $?
  local status=$?
  echo "# $1: $(cat "$cache/$1/release"), $((SECONDS - started)) s"
  return $status
}

wanted=("$@")
[ $# -gt 0 ] || wanted=(5.10 6.12)
known=$(awk '!/^#/ { print $1 }' "$here/kernels.tsv")
[ "${wanted[*]}" != all ] || mapfile -t wanted <<< "$known"
for name in "${wanted[@]}"; do
  grep -qxF "$name" <<< "$known" ||
    { echo "tests/vm/run.sh: $name: one of $(tr '\n' ' ' <<< "$known")or all" >&2; exit 64; }
done
[ -x "$bin/netto" ] || { echo "tests/vm/run.sh: no $bin/netto: build it first" >&2; exit 69; }
make_base || exit
mkdir -p "$cache"
# Each guest keeps one core busy and takes a good gigabyte.
room=$(awk '/^MemAvailable:/ { print int($2 / 1500000) }' /proc/meminfo)
jobs=$(($(nproc) < room ? $(nproc) : room))
for name in "${wanted[@]}"; do
  while [ "$(jobs -rp | wc -l)" -ge $((jobs > 0 ? jobs : 1)) ]; do wait -n; done
  (run_kernel "$name") > "$work/$name.report" 2>&1 &
  guests+=($!)
done
failed=0
for i in "${!wanted[@]}"; do
  wait "${guests[i]}" || failed=1
  cat "$work/${wanted[i]}.report"
done
exit $failed
