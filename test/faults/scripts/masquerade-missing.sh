# Only the rules that masquerade are gone.
nft delete element inet cni_debug masquerade4 '{ 10.50.0.2 }'
