# The network does not masquerade, and the host outside has lost the way back to its pods.
ip -n outside route del 10.50.0.0/28
