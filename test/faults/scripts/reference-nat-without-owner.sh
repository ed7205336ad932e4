# The same, of the reference's bridge.
cat >/tmp/reference-$$.json <<'CALL'
{ "cniVersion": "1.0.0", "name": "old", "type": "bridge", "bridge": "br-old", "isGateway": true, "ipMasq": true,
  "ipMasqBackend": "nftables", "ipam": { "type": "host-local", "subnet": "10.52.0.0/24" } }
CALL
ip netns add leaves
CNI_COMMAND=ADD CNI_CONTAINERID=leaves CNI_NETNS=/run/netns/leaves CNI_IFNAME=eth0 CNI_PATH=/opt/cni/reference \
  /opt/cni/reference/bridge </tmp/reference-$$.json >/dev/null
rm -f /tmp/reference-$$.json
ip netns del leaves
rm -r /var/lib/cni/networks/old
