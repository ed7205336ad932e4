# The container went away while its DEL could not write (plugins#810): the rules stayed.
ip netns pids api | xargs kill
ip netns del api
rm /var/lib/cni/results/lab-api-eth0 /var/lib/cni/networks/lab/10.50.0.3
rm -f /var/log/cni-debug/journal.ndjson
