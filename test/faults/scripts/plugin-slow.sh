# An IPAM that takes 5 s: it waits for an API that does not answer (containerd#6184).
cat >/opt/cni/bin/waits <<'PLUGIN'
#!/bin/sh
[ "$CNI_COMMAND" = VERSION ] && echo '{"cniVersion": "1.1.0", "supportedVersions": ["1.0.0", "1.1.0"]}' && exit
[ "$CNI_COMMAND" = ADD ] && sleep 5
exec /opt/cni/reference/host-local
PLUGIN
chmod +x /opt/cni/bin/waits
cat >/etc/cni/net.d/20-waits.conflist <<'CONFLIST'
{ "cniVersion": "1.1.0", "name": "waits", "plugins": [{ "type": "debug", "cniOutput": false,
  "delegate": { "type": "bridge", "bridge": "br-waits", "ipam": { "type": "waits", "subnet": "10.51.0.0/24" } } }] }
CONFLIST
ip netns add slow
cni-debug add waits slow --container-id slow >/dev/null
