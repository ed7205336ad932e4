# A plugin of the chain was never installed, or an upgrade removed it (kubernetes#62054).
rm /opt/cni/bin/portmap
