# A real MQTT connection over mutual TLS: exits 0 once the broker has answered CONNECT and SUBSCRIBE.
live=/mosquitto/config/live
exec mosquitto_sub -h 127.0.0.1 -p 18883 --cafile "$live/server-ca.crt" --cert "$live/control.crt" \
  --key "$live/control.key" -t cdktf-mosquitto/health -E -W 3
