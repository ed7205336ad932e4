# A range that is not in its subnet.
cat >/etc/cni/net.d/20-wrong.conflist <<'CONFLIST'
{ "cniVersion": "1.1.0", "name": "wrong", "plugins": [{ "type": "bridge", "bridge": "br-wrong",
  "ipam": { "type": "host-local", "subnet": "10.61.0.0/24", "rangeStart": "10.62.0.10" } }] }
CONFLIST
