# The disk was full, or the plugin died while it printed: half a result.
cat >/opt/cni/bin/half <<'PLUGIN'
#!/bin/sh
[ "$CNI_COMMAND" = VERSION ] && echo '{"cniVersion": "1.1.0", "supportedVersions": ["1.0.0", "1.1.0"]}' && exit
[ "$CNI_COMMAND" = ADD ] || exit 0
printf '{"cniVersion": "1.1.0", "interfaces": [{"name": "eth'
PLUGIN
chmod +x /opt/cni/bin/half
cat >/etc/cni/net.d/20-half.conflist <<'CONFLIST'
{ "cniVersion": "1.1.0", "name": "half", "plugins": [{ "type": "debug", "cniOutput": false, "delegate": { "type": "half" } }] }
CONFLIST
ip netns add partly
cni-debug add half partly --container-id partly >/dev/null 2>&1 || true
