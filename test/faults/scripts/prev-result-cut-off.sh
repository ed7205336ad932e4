# A plugin hands on a result of which an end is missing: an address of an interface that is not in the list (plugins#360).
. "$(dirname "$0")/../plugin.sh"
plugin loses <<'PLUGIN'
echo '{"cniVersion": "1.1.0", "interfaces": [], "ips": [{"address": "10.77.0.2/24", "interface": 2}]}'
PLUGIN
cat >/etc/cni/net.d/20-loses.conflist <<'CONFLIST'
{ "cniVersion": "1.1.0", "name": "loses", "plugins": [{ "type": "loses" }, { "type": "debug", "cniOutput": false }] }
CONFLIST
ip netns add lost
# As libcni does it, which looks at no index.
CNI_COMMAND=ADD CNI_CONTAINERID=lost CNI_NETNS=/run/netns/lost CNI_IFNAME=eth0 CNI_PATH=/opt/cni/bin /opt/cni/bin/debug >/dev/null 2>&1 <<'CALL' || true
{ "cniVersion": "1.1.0", "name": "loses", "type": "debug", "cniOutput": false,
  "prevResult": {"cniVersion": "1.1.0", "interfaces": [], "ips": [{"address": "10.77.0.2/24", "interface": 2}]} }
CALL
