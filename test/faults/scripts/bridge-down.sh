# A network manager of the node took it down.
ip link set br-lab down
