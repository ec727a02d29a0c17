#!/usr/bin/env bash
# Installs what netto needs from Debian's packages: "build" (and run) or "test".
# Nothing is ever removed; packages that are there already are not asked for.
set -euo pipefail

build=(ca-certificates cmake ninja-build gcc libc6-dev pkg-config clang llvm bpftool libbpf-dev libelf-dev libseccomp-dev
  zlib1g-dev libprotobuf-c-dev protobuf-c-compiler libuv1-dev libmicrohttpd-dev libncurses-dev gawk)
test=(libcmocka-dev libclang-rt-14-dev relacy-dev g++ tmux prometheus iproute2 iputils-ping iperf3 nftables
  iptables ethtool procps socat strace jq python3 curl patch xxd util-linux bsdextrautils bsdutils linux-perf dash ncurses-bin
  qemu-system-x86 busybox-static kmod xz-utils debian-archive-keyring)

case ${1:-} in
  build) wanted=("${build[@]}") ;;
  test) wanted=("${build[@]}" "${test[@]}") ;;
  *) echo "usage: deploy/install-packages.sh build|test" >&2; exit 64 ;;
esac

missing=()
for package in "${wanted[@]}"; do
  dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii' || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" != 0 ]; then
  echo "deploy/install-packages.sh: only root can install packages: run: apt-get install ${missing[*]}" >&2
  exit 77
fi
echo "installing ${#missing[@]} packages: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
# A server that Debian starts on installing is not wanted on this machine: policy-rc.d is asked
# by every package's script, and taken away again.
if [ ! -e /usr/sbin/policy-rc.d ]; then
  printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
  chmod 755 /usr/sbin/policy-rc.d
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
fi
apt-get update -qq
apt-get install -y -qq --no-remove --no-install-recommends "${missing[@]}" > /dev/null
