# The network is sound, and nobody listens.
ip netns pids outside | xargs kill
