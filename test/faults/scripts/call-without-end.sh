# A call that was killed, with everything it had begun (snc#203).
. "$(dirname "$0")/../plugin.sh"
echo 'sleep 60' | plugin hangs
network hangs '{ "type": "hangs" }'
ip netns add stuck
CNI_COMMAND=ADD CNI_CONTAINERID=stuck CNI_NETNS=/run/netns/stuck CNI_IFNAME=eth0 CNI_PATH=/opt/cni/bin setsid /opt/cni/bin/debug >/dev/null 2>&1 <<'CALL' &
{ "cniVersion": "1.1.0", "name": "hangs", "type": "debug", "cniOutput": false, "delegate": { "type": "hangs" } }
CALL
until pgrep -f /opt/cni/bin/hangs >/dev/null; do sleep 0.02; done
pkill -9 -f '^/opt/cni/bin/debug' || kill -9 $!
pkill -9 -f /opt/cni/bin/hangs
