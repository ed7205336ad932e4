# Strict filtering, and routes to the pods that lead elsewhere: what pods send is thrown away.
sysctl -qw net.ipv4.conf.all.rp_filter=1
ip link add elsewhere type veth peer name nowhere
ip link set elsewhere up
ip link set nowhere up
ip route add 10.50.0.2/32 dev elsewhere
ip route add 10.50.0.3/32 dev elsewhere
