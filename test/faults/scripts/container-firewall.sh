# A firewall in the container itself lets nothing in that it did not ask for.
ip netns exec web nft add table inet guard
ip netns exec web nft 'add chain inet guard in { type filter hook input priority 0; policy drop; }'
ip netns exec web nft add rule inet guard in ct state established,related accept
