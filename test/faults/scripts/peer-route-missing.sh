# The route to the pods of another node is gone (a network manager restarted).
ip route del 10.70.0.0/24
