# Makes a staged set live in the running broker and proves it. Runs in the broker's namespaces, as its user.
# SET, CONF: see the writer. VERIFY, LISTENERS: see probe.sh. RELOADED: the file that this broker reads again, where that must not name its listeners.
set -u
config=/mosquitto/config
set=$config/sets/$SET
files=$set

say() { echo "$*" >&2; }
live() { basename "$(readlink "$config/live")"; }
activate() {
  rm -f "$config/live.new"
  ln -s "sets/$1" "$config/live.new" && mv -T "$config/live.new" "$config/live"
}

# Mosquitto 2.0 forgets max_connections and max_qos of a listener that it reads again, and keeps all of one that it does
# not read.
reload() {
  if [ -n "$RELOADED" ]; then
    sed '/^listener /,$d' "$config/conf/$CONF.conf" >"$RELOADED.new" && mv "$RELOADED.new" "$RELOADED" || return 1
  fi
  kill -HUP 1
}

# The set before stays, for `cdktf-mosquitto rollback`.
remember() {
  if [ -n "$1" ]; then echo "$1" >"$config/previous"; else rm -f "$config/previous"; fi
}

put_back() {
  if [ "$previous" != "$SET" ]; then
    activate "$previous"
    remember "$before"
    reload
    say "it is back on set $previous"
  fi
}

# The name is in the set's own server certificate, the topic in its own rules: an answer proves both.
answers() {
  host=$(cat "$set/generation-host")
  topic='$cdktf-mosquitto/set/'$SET
  answer=$(timeout 5 mosquitto_rr -V mqttv5 -h "$host" -p 18883 --cafile "$set/server-ca.crt" \
    --cert "$set/control.crt" --key "$set/control.key" -t "$topic" -e "$topic" -m "$SET" -W 3 2>&1) || true
  # A line among others: the client may have something to remark as well.
  printf '%s\n' "$answer" | grep -qx "$SET"
}

# Mosquitto keeps the session that a refused certificate has opened. Connecting under the session's client id, which
# only the control listener lets anybody do, takes its place and ends it.
close_session() {
  mosquitto_sub -h 127.0.0.1 -p 18883 --cafile "$set/server-ca.crt" --cert "$set/control.crt" \
    --key "$set/control.key" -i "$1" -t cdktf-mosquitto/health -E -W 3 </dev/null >/dev/null 2>&1
}

# What is to be done is done within milliseconds; the limit is for a loaded machine.
persist() {
  end=$(($(date +%s) + 20))
  until "$@"; do
    if [ "$(date +%s)" -ge "$end" ]; then return 1; fi
    sleep 0.2
  done
}

if [ -e "$config/refused" ]; then
  cat "$config/refused" >&2
  say "the broker was restarted on what it had before; mend the declaration and deploy again, or, where the reason lay"
  say "elsewhere, remove the container of the writer and deploy again"
  exit 1
fi
if [ -e "$config/conf/$CONF.stand-in" ]; then
  rm -f "$config/conf/$CONF.stand-in"
  say "the broker runs on the mosquitto.conf before this one, and is restarted; deploy once more"
  kill -TERM 1
  exit 1
fi
if [ ! -d "$set" ]; then
  say "set $SET is not staged; the writer did not finish"
  exit 1
fi

previous=$(live)
before=$(cat "$config/previous" 2>/dev/null)
# First, so that one that is killed does not forget it.
if [ "$previous" != "$SET" ] && ! { remember "$previous" && activate "$SET"; }; then
  remember "$before"
  say "set $SET could not be made live: the config volume cannot be written"
  exit 1
fi
# A broker that was started on the set has read it. Mosquitto 2.0, when it reads again, keeps nothing from then on for a
# client that is away (eclipse-mosquitto/mosquitto#2934). A reloader that was killed may have made the set live and gone
# no further.
if [ "$previous" != "$SET" ] || ! persist answers; then
  if ! reload; then
    activate "$previous"
    remember "$before"
    say "the broker cannot be reloaded; its set is $previous"
    exit 1
  fi
fi
if ! persist answers; then
  say "the broker did not take set $SET, its last answer was: ${answer:-none}"
  put_back
  say "the reason is in the broker's log"
  exit 1
fi

. "$set/probe.sh"
if who=$(lets_strangers_in); then
  say "the broker on set $SET does not refuse whom it must: $who"
  put_back
  exit 1
fi

# Only what this set ends, so that a device that has come back with its new certificate is left alone. What a set
# ended is written down last: a reloader that was killed before does it again.
closed=$config/ended
touch "$closed"
grep -v '^#' "$set/ended" | while read -r name serial; do
  if ! grep -qxF "$name $serial" "$closed"; then echo "$name"; fi
done | sort -u | while read -r name; do
  if ! persist close_session "$name"; then exit 1; fi
  echo "the session of an ended certificate of $name is closed"
done || {
  say "set $SET is live, but a session that it ends could not be closed; the next deploy tries again"
  exit 1
}
cp "$set/ended" "$closed.new" && chmod 0600 "$closed.new" && mv "$closed.new" "$closed"

before=$(cat "$config/previous" 2>/dev/null)
for old in "$config"/sets/*; do
  name=$(basename "$old")
  if [ "$name" != "$SET" ] && [ "$name" != "$before" ]; then rm -rf "$old"; fi
done
for old in "$config"/conf/*; do
  if [ "$old" != "$config/conf/$CONF.conf" ]; then rm -f "$old"; fi
done
echo "set $SET is live"
