# The container went away, and nobody called DEL.
pkill --ns $$ --nslist pid -f 'tcp:80' && sleep 0.1
ip netns del api
