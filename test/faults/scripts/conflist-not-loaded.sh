# A file that no runtime loads, by its name.
sed 's/"lab"/"other"/; s/10\.50\.0\.0/10.60.0.0/; s/br-lab/br-other/' /etc/cni/net.d/10-lab.conflist >/etc/cni/net.d/20-other.conf
