# The conflist asks for more than an old plugin knows (plugins#359, cni#862).
cat >/opt/cni/bin/old <<'PLUGIN'
#!/bin/sh
[ "$CNI_COMMAND" = VERSION ] && echo '{"cniVersion": "0.4.0", "supportedVersions": ["0.3.1", "0.4.0"]}' && exit
echo '{"cniVersion": "0.4.0", "code": 1, "msg": "incompatible CNI versions"}'
exit 1
PLUGIN
chmod +x /opt/cni/bin/old
cat >/etc/cni/net.d/20-old.conflist <<'CONFLIST'
{ "cniVersion": "1.1.0", "name": "old", "plugins": [{ "type": "old" }] }
CONFLIST
