# It was copied without its mode.
rm /opt/cni/bin/portmap
cp /opt/cni/reference/portmap /opt/cni/bin/portmap
chmod 644 /opt/cni/bin/portmap
