# For the scripts: a plugin that is a few lines of shell, and a network in which `debug` runs it.

# plugin NAME: what it does on ADD comes on stdin; it answers VERSION, and all else succeeds.
plugin() {
  {
    echo '#!/bin/sh'
    echo '[ "$CNI_COMMAND" = VERSION ] && echo '\''{"cniVersion": "1.1.0", "supportedVersions": ["1.0.0", "1.1.0"]}'\'' && exit'
    echo '[ "$CNI_COMMAND" = ADD ] || exit 0'
    cat
  } >"/opt/cni/bin/$1"
  chmod +x "/opt/cni/bin/$1"
}

# network NAME DELEGATE: of one plugin, `debug`, that runs the delegate.
network() {
  cat >"/etc/cni/net.d/20-$1.conflist" <<CONFLIST
{ "cniVersion": "1.1.0", "name": "$1", "plugins": [{ "type": "debug", "cniOutput": false, "delegate": $2 }] }
CONFLIST
}
