# The node was restarted: files on disk tell of containers that were before it.
ip netns pids web | xargs kill
ip netns pids api | xargs kill
ip netns del web
ip netns del api
touch -d '2020-01-01' /var/lib/cni/networks/lab/10.50.0.* /var/lib/cni/results/lab-*
