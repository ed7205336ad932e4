# The map that leads to it has lost the port.
nft delete element inet cni_debug hostport_any4 '{ tcp . 8080 }'
