# One rule of many.
nft add table inet firewall
nft 'add chain inet firewall forwarded { type filter hook forward priority 10; policy accept; }'
nft 'add rule inet firewall forwarded ip saddr 10.99.0.0/16 counter accept'
nft 'add rule inet firewall forwarded ip saddr 10.50.0.0/24 ip daddr != 10.50.0.0/24 counter drop comment "no way out of lab"'
