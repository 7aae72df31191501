#!/bin/sh
# Publishes one message and prints the first one that arrives, by Mosquitto's own tools:
#     client.sh FOLDER TOPIC FILTER MESSAGE
# The folder has the client's bundle in the format `pem`.
set -eu
cd "$1"
export XDG_CONFIG_HOME="$PWD"
# One client has one session, so they take turns, and the broker keeps the message meanwhile.
mosquitto_pub -V 5 -q 1 --retain -t "$2" -m "$4"
mosquitto_sub -V 5 -q 1 -C 1 -W 5 -t "$3" -F '%t %p'
mosquitto_pub -V 5 -q 1 --retain -t "$2" --null-message
