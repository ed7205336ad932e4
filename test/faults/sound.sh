#!/bin/sh
# Makes the sound node of `fault-site.ts` out of an empty one: two pods on the bridge of network lab, one of them with a
# host port, and a host outside that the node's default route leads to. $1 runs servers.ts, $2 is that file.
set -eu
bun=$1 servers=$2

ip netns add outside
ip link add up0 type veth peer name up0 netns outside
ip addr add 192.0.2.1/24 dev up0
ip link set up0 up
ip -n outside addr add 192.0.2.2/24 dev up0
ip -n outside link set up0 up
ip -n outside link set lo up
ip route add default via 192.0.2.2
ip netns exec outside "$bun" "$servers" tcp:7000 dns:53 >/dev/null 2>&1 &

for pod in web api; do
  # `ip netns exec` puts it in the place of the node's, for what it starts.
  mkdir -p /etc/netns/$pod
  printf 'nameserver 192.0.2.2\nsearch lab.example\n' >/etc/netns/$pod/resolv.conf
  ip netns add $pod
done
ports='{"portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}]}'
cni-debug add lab web --container-id web --args 'IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web' --capabilities "$ports" >/dev/null
cni-debug add lab api --container-id api --args 'IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=api' >/dev/null
for pod in web api; do ip netns exec $pod "$bun" "$servers" tcp:80 >/dev/null 2>&1 & done

# Until all of them listen.
wait_for() { until ip netns exec "$1" ss -ltun | grep -q ":$2 "; do sleep 0.02; done; }
wait_for outside 7000
wait_for outside 53
wait_for web 80
wait_for api 80
