# The kernel or an operator ends a plugin while it works (cni#732: "no error message").
cat >/opt/cni/bin/dies <<'PLUGIN'
#!/bin/sh
[ "$CNI_COMMAND" = VERSION ] && echo '{"cniVersion": "1.1.0", "supportedVersions": ["1.0.0", "1.1.0"]}' && exit
[ "$CNI_COMMAND" = ADD ] && kill -9 $$
exit 0
PLUGIN
chmod +x /opt/cni/bin/dies
cat >/etc/cni/net.d/20-dies.conflist <<'CONFLIST'
{ "cniVersion": "1.1.0", "name": "dies", "plugins": [{ "type": "debug", "cniOutput": false, "delegate": { "type": "dies" } }] }
CONFLIST
ip netns add crash
cni-debug add dies crash --container-id crash >/dev/null 2>&1 || true
