#!/usr/bin/env bash
# fetch_kernel.sh - one of Debian's kernels, taken apart, in the cache of the tests
#
#   fetch_kernel.sh SUITE PACKAGE DIRECTORY
#
# Leaves in DIRECTORY: vmlinuz, release (its version) and lib/modules/VERSION, the part of it that
# a guest can need. The mirror is the one that this machine's own packages come from; apt works
# with directories of its own here and checks signatures as always, the machine's sources and
# lists stay as they are. A DIRECTORY that is there already is left alone.
# Exit 1: cannot be had, with the reason on standard output in one line.
set -uo pipefail
suite=$1 package=$2 directory=$3
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ ! -e "$directory/release" ] || exit 0

give_up() { echo "$1"; exit 1; }
mirror=$(apt-get indextargets --format '$(CODENAME) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
  awk -v host="$(. /etc/os-release && echo "$VERSION_CODENAME")" '$1 == host && $2 == "main" { print $3; exit }')
[ -n "$mirror" ] || give_up "no mirror of Debian in this machine's apt sources"
[ -e "$keyring" ] || give_up "no $keyring (package debian-archive-keyring)"

work=$(mktemp -d) || give_up "cannot make a temporary directory"
trap 'rm -rf "$work" "$directory.part"' EXIT
cd "$work" && mkdir -p state/lists/partial cache/archives/partial debs || give_up "cannot write in $work"
echo "deb [arch=amd64 signed-by=$keyring] $mirror $suite main" > sources.list
: > status
options=(-q -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=/dev/null
  -o "Dir::State=$work/state" -o "Dir::State::status=$work/status" -o "Dir::Cache=$work/cache"
  -o Acquire::Languages=none -o Acquire::PDiffs=false -o Acquire::Retries=3 -o APT::Architecture=amd64
  -o APT::Architectures=amd64 -o "APT::Sandbox::User=$(id -un)" -o APT::Get::List-Cleanup=false)
why() { grep -m1 -E '^[EW]: ' "$work/log" | cut -c4- | tr '\n' ' '; }
apt-get "${options[@]}" -o APT::Update::Error-Mode=any update > log 2>&1 ||
  give_up "suite $suite: $(why)"

# What the package needs that holds a kernel or its modules: one package up to 6.x, several later.
apt-cache "${options[@]}" depends --recurse --important "$package" 2>/dev/null |
  grep -oE '^linux-(image|modules|binary|base)-[0-9][^ ]*$' | sort -u > wanted
[ -s wanted ] || give_up "suite $suite has no $package with a kernel behind it"
(cd debs && xargs apt-get "${options[@]}" download < ../wanted) > log 2>&1 ||
  give_up "suite $suite: $(why)"

# Newer packages keep both under /usr/lib. Of the modules stays what a machine without hardware uses.
mkdir tree
for deb in debs/*.deb; do
  dpkg-deb -x "$deb" tree || give_up "$(basename "$deb") cannot be unpacked"
done
modules=$(find tree/lib/modules tree/usr/lib/modules -mindepth 1 -maxdepth 1 -type d 2>/dev/null)
version=$(basename "$modules")
vmlinuz=$(find tree/boot tree/usr/lib/modules -name 'vmlinuz*' -type f 2>/dev/null)
[ -n "$version" ] && [ -f "$vmlinuz" ] || give_up "$package of $suite does not hold one kernel"
find "$modules/kernel" -type f -regextype posix-extended \
  ! -regex '.*/kernel/(net|lib|crypto|arch|drivers/(block|vhost|virtio|net(/(bonding|vxlan|wireguard))?/[^/]*))/.*' \
  ! -regex '.*/kernel/drivers/net/[^/]*' -delete
find "$modules" -type d -empty -delete

mkdir -p "$directory.part/lib/modules" && mv "$vmlinuz" "$directory.part/vmlinuz" &&
  mv "$modules" "$directory.part/lib/modules" && depmod -b "$directory.part" "$version" 2>/dev/null &&
  echo "$version" > "$directory.part/release" && mv "$directory.part" "$directory" ||
  give_up "cannot write $directory"
