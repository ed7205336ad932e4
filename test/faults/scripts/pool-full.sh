# As many pods as addresses.
for number in 1 2 3 4 5 6 7 8 9 10 11; do
  ip netns add more$number
  cni-debug add lab more$number --container-id more$number >/dev/null
done
