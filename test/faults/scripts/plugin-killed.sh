# The kernel or an operator ends a plugin while it works (cni#732: "no error message").
. "$(dirname "$0")/../plugin.sh"
echo 'kill -9 $$' | plugin dies
network dies '{ "type": "dies" }'
ip netns add crash
cni-debug add dies crash --container-id crash >/dev/null 2>&1 || true
