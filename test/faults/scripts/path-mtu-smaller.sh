# And nobody may say so: a firewall drops the errors that would tell the pod.
ip link set up0 mtu 1400
ip -n outside link set up0 mtu 1400
