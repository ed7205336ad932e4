# A plugin prints its result two times (cni#571, cni#670).
cat >/opt/cni/bin/twice <<'PLUGIN'
#!/bin/sh
[ "$CNI_COMMAND" = VERSION ] && echo '{"cniVersion": "1.1.0", "supportedVersions": ["1.0.0", "1.1.0"]}' && exit
[ "$CNI_COMMAND" = ADD ] || exit 0
echo '{"cniVersion": "1.1.0", "ips": []}'
echo '{"cniVersion": "1.1.0", "ips": []}'
PLUGIN
chmod +x /opt/cni/bin/twice
cat >/etc/cni/net.d/20-twice.conflist <<'CONFLIST'
{ "cniVersion": "1.1.0", "name": "twice", "plugins": [{ "type": "debug", "cniOutput": false, "delegate": { "type": "twice" } }] }
CONFLIST
ip netns add double
cni-debug add twice double --container-id double >/dev/null 2>&1 || true
