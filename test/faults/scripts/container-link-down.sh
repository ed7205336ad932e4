# The interface in the container was taken down.
ip -n web link set eth0 down
