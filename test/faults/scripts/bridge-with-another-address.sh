# Somebody changed the subnet, and the bridge is the old one (cni#306: "already has an IP address different from").
ip addr del 10.50.0.1/28 dev br-lab
ip addr add 10.99.0.1/28 dev br-lab
