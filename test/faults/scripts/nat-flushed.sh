# A firewall that is loaded again begins with `flush ruleset`.
nft flush ruleset
