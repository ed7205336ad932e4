# A route that throws away, which a tunnel or a routing daemon has left.
ip route add blackhole 192.0.2.2/32
