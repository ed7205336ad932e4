# A server of the node has the same port: it never gets a packet, or the pod never does.
"$1" "$2" tcp:8080 >/dev/null 2>&1 &
until ss -ltn | grep -q ':8080 '; do sleep 0.02; done
