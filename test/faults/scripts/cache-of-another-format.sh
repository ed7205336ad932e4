# Another program's file in the folder.
echo 'attachment web' >/var/lib/cni/results/lab-notes-eth0
