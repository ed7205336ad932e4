# The same by the iptables of old, which nftables does not see.
iptables-legacy -P FORWARD DROP
