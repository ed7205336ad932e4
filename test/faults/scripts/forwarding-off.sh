# Another program, or sysctl.d, switched it off.
sysctl -qw net.ipv4.ip_forward=0
