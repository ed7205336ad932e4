# Packets between two pods of one bridge pass the node's firewall, too, since br_netfilter is loaded.
nft add table ip filter
nft 'add chain ip filter FORWARD { type filter hook forward priority 0; policy accept; }'
nft 'add rule ip filter FORWARD iifname "br-lab" oifname "br-lab" counter drop'
