# The other end stands in a namespace that somebody keeps, and whose container is gone.
rm /var/lib/cni/results/lab-api-eth0 /var/lib/cni/networks/lab/10.50.0.3
rm -f /var/log/cni-debug/journal.ndjson
nft delete element inet cni_debug masquerade4 '{ 10.50.0.3 }' 2>/dev/null || true
ip -n api link set eth0 netns outside name old0
ip netns pids api | xargs kill
ip netns del api
