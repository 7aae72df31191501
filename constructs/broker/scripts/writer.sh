# Stages the uploaded files as one complete set on the config volume. Runs as root, without a network.
# SET: name of the set (a hash). CONF: name of its mosquitto.conf (a hash). FILES: the files of a set.
# CONTROL: user name of the health check and the reloader. REPLACED_WITH: files that a running broker does not read
# again, so that Terraform replaces it when one of them changes. LINE: the Mosquitto that the image is declared to have.
set -eu
umask 077
config=/mosquitto/config
incoming=$config/incoming-$CONF
set=$config/sets/$SET

# What a version cannot do safely was refused for the declared one.
found=$(/usr/sbin/mosquitto -h | sed -n 's/^mosquitto version \([0-9]*\.[0-9]*\).*/\1/p')
if [ "$found" != "$LINE" ]; then
  echo "the image has Mosquitto ${found:-of an unknown version} in it, and is declared with $LINE; declare its version" >&2
  exit 1
fi

if [ ! -d "$incoming" ] && [ -d "$set" ]; then
  echo "set $SET is staged already"
  exit 0
fi

# Starts the broker on the files of a folder, in here, where nobody can reach it, and lets the control client in. What the
# broker would refuse, or go on without, never goes live. The files are still root's, so it runs as root: as another user
# it would remark on that.
rehearse() {
  stage=$(mktemp -d)
  # Its log must tell of errors, and messages are none of its business.
  printf 'user root\npersistence false\nlog_type error\nlog_type warning\nlog_type notice\n' >"$stage/conf"
  sed -e '/^persistence/d' -e '/^autosave_interval /d' -e '/^log_type /d' -e "s#$config/live/#$1/#g" \
    "$incoming/mosquitto.conf" >>"$stage/conf"
  (
    /usr/sbin/mosquitto -c "$stage/conf" >"$stage/log" 2>&1 &
    echo $! >"$stage/pid"
    wait $! || true
    : >"$stage/ended"
  ) &
  end=$(($(date +%s) + 20))
  passed=no
  while [ ! -e "$stage/ended" ] && [ "$(date +%s)" -lt "$end" ]; do
    if answers "$1"; then
      passed=yes
      break
    fi
    # It will not mend itself.
    if [ -n "$(errors)" ]; then break; fi
    sleep 0.1
  done
  words=$(errors)
  # Strangers come last, because the log has an error for each of them.
  if [ "$passed" = yes ] && [ -z "$words" ] && stranger "$1"; then
    passed=no
    words="it lets a client without a certificate in"
  fi
  if [ -s "$stage/pid" ]; then kill "$(cat "$stage/pid")" 2>/dev/null || true; fi
  wait
  if [ "$passed" = yes ] && [ -z "$words" ]; then return 0; fi
  echo "the broker does not run on set $SET, which stays off; its own words: ${words:-$(tail -n 5 "$stage/log")}" >&2
  return 1
}

errors() { grep -E 'Error|Invalid|Unable' "$stage/log" || true; }

# The topic is allowed at the end of the set's own rules: an answer proves that they were read to their end.
answers() {
  topic='$cdktf-mosquitto/set/'$SET
  answer=$(timeout 5 mosquitto_rr -V mqttv5 -h 127.0.0.1 -p 18883 --cafile "$1/server-ca.crt" \
    --cert "$1/control.crt" --key "$1/control.key" -t "$topic" -e "$topic" -m "$SET" -W 3 2>&1) || true
  printf '%s\n' "$answer" | grep -qx "$SET"
}

stranger() {
  timeout 5 mosquitto_sub -h 127.0.0.1 -p 18883 --cafile "$1/server-ca.crt" -t any -E -W 3 </dev/null >/dev/null 2>&1
}

mkdir -p "$config/sets" "$config/conf"
# What a writer left that was killed: nobody but root could take it away.
rm -rf "$config"/sets/*.new
if [ ! -d "$set" ]; then
  mkdir "$set.new"
  for file in $FILES; do cp "$incoming/$file" "$set.new/$file"; done
  # A topic that only this set allows: whoever can use it talks to a broker that has read the set to its end. It begins
  # with $, so that a client with the filter # does not see it.
  printf 'user %s\ntopic readwrite $cdktf-mosquitto/set/%s\n' "$CONTROL" "$SET" >>"$set.new/acl"
  printf '%s' "$CONF" >"$set.new/conf"
  if ! rehearse "$set.new"; then
    rm -rf "$set.new"
    exit 1
  fi
  chmod 0400 "$set.new"/*
  chmod 0700 "$set.new"
  chown -R 1883:1883 "$set.new"
  mv "$set.new" "$set"
fi
cp "$incoming/mosquitto.conf" "$config/conf/$CONF.conf.new"
chmod 0400 "$config/conf/$CONF.conf.new"
mv "$config/conf/$CONF.conf.new" "$config/conf/$CONF.conf"
chown 1883:1883 "$config" "$config/sets" "$config/conf" "$config/conf/$CONF.conf" /mosquitto/data
chmod 0700 "$config"
# Docker fills a new volume with what the image has there: a mosquitto.conf that lets anybody in.
rm -rf "$config"/incoming-* "$config/mosquitto.conf"

starts_anew() {
  if [ ! -e "$config/live/conf" ] || [ "$(cat "$config/live/conf")" != "$CONF" ]; then return 0; fi
  for file in $REPLACED_WITH; do
    if ! cmp -s "$config/live/$file" "$set/$file"; then return 0; fi
  done
  return 1
}

# A broker that runs on this mosquitto.conf goes over by reload, at the hand of the reloader. Otherwise it is
# about to be started, and must find its set.
if starts_anew; then
  rm -f "$config/live.new"
  ln -s "sets/$SET" "$config/live.new"
  chown -h 1883:1883 "$config/live.new"
  mv -T "$config/live.new" "$config/live"
  echo "set $SET is staged and live"
else
  echo "set $SET is staged"
fi
