# A plugin prints its result two times (cni#571, cni#670).
. "$(dirname "$0")/../plugin.sh"
plugin twice <<'PLUGIN'
echo '{"cniVersion": "1.1.0", "ips": []}'
echo '{"cniVersion": "1.1.0", "ips": []}'
PLUGIN
network twice '{ "type": "twice" }'
ip netns add double
cni-debug add twice double --container-id double >/dev/null 2>&1 || true
