#!/bin/sh
# A node that is nothing but namespaces (mounts and network), with our plugins in /opt/cni/bin and the reference's behind
# them in $3. To be started as
#   unshare --mount --net sh node.sh <dist> <folder for what it writes> <folder with the reference plugins>
# and with a fourth word `processes` it has its own of these, too. It prints the ID of its first process, and ends with
# its stdin. /tmp is the machine's; /etc, /opt, /var and /run are its own.
set -eu
dist=$1 folder=$2 reference=$3

case "${4-}" in
processes) exec unshare --pid --fork --kill-child sh "$0" "$dist" "$folder" "$reference" inside ;;
inside)
  # As the test sees it: /proc is still the machine's.
  read -r pid _ </proc/self/stat
  mount -t proc proc /proc
  ;;
*) pid=$$ ;;
esac
mount -t tmpfs -o mode=755 tmpfs "$folder"
for name in etc opt var; do
  mkdir -p "$folder/$name/upper" "$folder/$name/work"
  mount -t overlay overlay -o "lowerdir=/$name,upperdir=$folder/$name/upper,workdir=$folder/$name/work" "/$name"
done
umount --recursive --lazy /run/netns 2>/dev/null || true
mount -t tmpfs -o mode=755 tmpfs /run
# What the machine itself may have of these is not there any more.
rm -rf /etc/cni /opt/cni /var/lib/cni /var/log/cni-debug
mkdir -p /run/netns /etc/cni/net.d /opt/cni/bin /opt/cni/reference
# Not copies: the executable has 100 MB.
for name in cni-debug koffi.node; do
  : >/opt/cni/bin/$name
  mount --bind "$dist/$name" /opt/cni/bin/$name
done
for name in $(ls "$dist/bin"); do [ "$name" = cni-debug ] || ln -s cni-debug "/opt/cni/bin/$name"; done
if [ -d "$reference" ]; then mount --bind "$reference" /opt/cni/reference; fi
ip link set lo up
echo "$pid"
cat >/dev/null
