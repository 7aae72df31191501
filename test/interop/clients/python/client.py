"""Publishes one message and prints the first one that arrives:

    client.py FOLDER TOPIC FILTER MESSAGE

The folder has the client's bundle in the format `paho-python`.
"""

import json
import os
import queue
import sys

import paho.mqtt.client as mqtt

folder, topic, topic_filter, message = sys.argv[1:]
os.chdir(folder)  # The PEM files are beside.
with open("paho-python.json", encoding="utf-8") as file:
    options = json.load(file)

outcome = queue.Queue()


def on_connect(client, userdata, flags, reason_code, properties):
    if reason_code.is_failure:
        outcome.put(f"not connected: {reason_code}")
    else:
        client.subscribe(topic_filter, qos=1)


def on_subscribe(client, userdata, mid, reason_codes, properties):
    if reason_codes[0].is_failure:
        outcome.put(f"not subscribed: {reason_codes[0]}")
    else:
        client.publish(topic, message, qos=1)


def on_publish(client, userdata, mid, reason_code, properties):
    if reason_code.is_failure:
        outcome.put(f"not published: {reason_code}")


def on_message(client, userdata, received):
    outcome.put(received)


def on_disconnect(client, userdata, flags, reason_code, properties):
    outcome.put(f"disconnected: {reason_code}")


client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5, **options["client"])
if "username_pw_set" in options:
    client.username_pw_set(**options["username_pw_set"])
if "tls_set" in options:
    client.tls_set(**options["tls_set"])
if "ws_set_options" in options:
    client.ws_set_options(**options["ws_set_options"])
client.on_connect = on_connect
client.on_subscribe = on_subscribe
client.on_publish = on_publish
client.on_message = on_message
client.on_disconnect = on_disconnect
client.connect(**options["connect"])
client.loop_start()
try:
    first = outcome.get(timeout=5)
except queue.Empty:
    sys.exit("no message within 5 s")
if isinstance(first, str):
    sys.exit(first)
print(first.topic, first.payload.decode())
client.disconnect()
client.loop_stop()
