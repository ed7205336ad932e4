# After a reboot /run/netns/api is the file that something was mounted on once.
ip netns pids api | xargs kill
umount /run/netns/api
