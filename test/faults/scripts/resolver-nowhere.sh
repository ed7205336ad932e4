# The container's resolv.conf names a host that does not answer.
ip netns pids web | xargs kill
echo 'nameserver 192.0.2.77' >/etc/netns/web/resolv.conf
ip netns exec web sleep 600 >/dev/null 2>&1 &
until ip netns pids web | grep -q .; do sleep 0.02; done
