# And here it names none.
ip netns pids web | xargs kill
: >/etc/netns/web/resolv.conf
ip netns exec web sleep 600 >/dev/null 2>&1 &
until ip netns pids web | grep -q .; do sleep 0.02; done
