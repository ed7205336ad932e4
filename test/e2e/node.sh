#!/bin/sh
# A node that is nothing but namespaces (mounts, network, processes), with a containerd of its own. To be started as
#   unshare --mount --net sh node.sh <dist> <folder with more plugins> <cgroup>
# It prints its first process's id when containerd answers, and ends with its stdin: also when the test is killed.
# What it writes to the machine's folders lands below /run/node, in memory.
set -eu
dist=$1 more=$2 cgroup=$3

if [ "${4-}" != inside ]; then
  status=0
  unshare --pid --fork --kill-child sh "$0" "$dist" "$more" "$cgroup" inside || status=$?
  # All of its processes are gone. For a container that ran until then nobody removed its cgroups.
  find /sys/fs/cgroup -depth -type d \( -path "*/$cgroup" -o -path "*/$cgroup/*" \) -exec rmdir {} +
  exit $status
fi

# As the test sees it: /proc is still the machine's.
read -r pid _ </proc/self/stat
mount -t proc proc /proc
# The namespaces of others, which must not live on here, nor come and go.
umount --recursive --lazy /run/netns 2>/dev/null || true
mount -t tmpfs -o mode=755 tmpfs /run
for folder in etc opt tmp var; do
  mkdir -p /run/node/$folder/upper /run/node/$folder/work
  chmod --reference=/$folder /run/node/$folder/upper
  mount -t overlay overlay -o "lowerdir=/$folder,upperdir=/run/node/$folder/upper,workdir=/run/node/$folder/work" /$folder
done
# What the machine itself may have of these is not there any more.
rm -rf /etc/cni /opt/cni /var/lib/cni /var/log/cni-debug /tmp/cni_output.log
mkdir -p /etc/cni/net.d /opt/cni/bin
cp "$(command -v busybox)" /run/node/busybox
ip link set lo up

# As README.md says, but with all names.
install -m 0755 "$dist/cni-debug" /opt/cni/bin/cni-debug
install -m 0644 "$dist/koffi.node" /opt/cni/bin/koffi.node
for name in $(ls "$dist/bin"); do [ -e "/opt/cni/bin/$name" ] || ln -s cni-debug "/opt/cni/bin/$name"; done
for name in $(ls "$more"); do [ -e "/opt/cni/bin/$name" ] || ln -s "$more/$name" "/opt/cni/bin/$name"; done

cat >/run/node/containerd.toml <<CONFIG
version = 2
root = "/run/node/containerd/root"
state = "/run/node/containerd/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "/run/node/containerd.sock"
CONFIG
containerd --config /run/node/containerd.toml --log-level warn </dev/null >/run/node/containerd.log 2>&1 &
attempts=0
until ctr --address /run/node/containerd.sock version >/dev/null 2>&1; do
  attempts=$((attempts + 1))
  if [ $attempts -gt 300 ]; then
    cat /run/node/containerd.log >&2
    exit 1
  fi
  sleep 0.1
done
echo "$pid"
cat >/dev/null
