# The gateway's address is gone: nobody answers when the pod asks who has it.
ip addr del 10.50.0.1/28 dev br-lab
