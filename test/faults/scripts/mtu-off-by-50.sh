# The bridge has the MTU of a tunnel, the pods have not: large packets are lost.
ip link set br-lab mtu 1450
