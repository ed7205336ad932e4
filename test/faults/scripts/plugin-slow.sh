# An IPAM that takes 5 s: it waits for an API that does not answer (containerd#6184).
. "$(dirname "$0")/../plugin.sh"
plugin waits <<'PLUGIN'
sleep 5
exec /opt/cni/reference/host-local
PLUGIN
network waits '{ "type": "bridge", "bridge": "br-waits", "ipam": { "type": "waits", "subnet": "10.51.0.0/24" } }'
ip netns add slow
cni-debug add waits slow --container-id slow >/dev/null
