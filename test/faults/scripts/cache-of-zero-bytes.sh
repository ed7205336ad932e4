# The same of what the runtime remembers; libcni then refuses DEL for ever (cni#1055).
: >/var/lib/cni/results/lab-gone-eth0
