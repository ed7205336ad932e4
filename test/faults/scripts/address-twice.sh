# Two containers have one address (cni#701: a lease was given away again after a DEL that failed).
ip -n api addr del 10.50.0.3/28 dev eth0
ip -n api addr add 10.50.0.2/28 dev eth0
ip -n api route add default via 10.50.0.1
