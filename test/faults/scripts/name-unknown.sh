# The container's resolv.conf has the search domain of somebody else, and a short name is not found there.
printf 'nameserver 192.0.2.2\nsearch no-such.example\n' >/etc/netns/web/resolv.conf
