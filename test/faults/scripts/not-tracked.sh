# Somebody wanted to spare the connection tracking: what it does not see is not masqueraded.
nft add table ip raw
nft 'add chain ip raw PREROUTING { type filter hook prerouting priority -300; }'
nft 'add rule ip raw PREROUTING ip saddr 10.50.0.0/28 notrack'
