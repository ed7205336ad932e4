# A process keeps the lock of the leases: every ADD and DEL of the network waits.
flock /var/lib/cni/networks/lab/lock sleep 60 >/dev/null 2>&1 &
until ! flock --nonblock /var/lib/cni/networks/lab/lock true; do sleep 0.02; done
