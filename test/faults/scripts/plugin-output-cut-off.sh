# The disk was full, or the plugin died while it printed: half a result.
. "$(dirname "$0")/../plugin.sh"
plugin half <<'PLUGIN'
printf '{"cniVersion": "1.1.0", "interfaces": [{"name": "eth'
PLUGIN
network half '{ "type": "half" }'
ip netns add partly
cni-debug add half partly --container-id partly >/dev/null 2>&1 || true
