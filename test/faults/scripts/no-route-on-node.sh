# The node itself has lost its default route.
ip route del default
