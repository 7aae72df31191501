# Stages the uploaded files as one complete set on the config volume. Runs as root, without a network.
# SET: name of the set (a hash). CONF: name of its mosquitto.conf (a hash). FILES: the files of a set.
# CONTROL: user name of the health check and the reloader. VERIFY, LISTENERS: see probe.sh. REPLACED_WITH: files that a running broker does not read
# again, so that Terraform replaces it when one of them changes. LINE: the Mosquitto that the image is declared to have.
set -eu
umask 077
config=/mosquitto/config
incoming=$config/incoming-$CONF
set=$config/sets/$SET
files=$set.new

if [ ! -d "$incoming" ] && [ -d "$set" ]; then
  echo "set $SET is staged already"
  exit 0
fi
. "$incoming/probe.sh"

# Starts the broker on the new files, in here, where nobody can reach it, and knocks at every listener. What the broker
# would refuse, or go on without, never goes live. The files are still root's, so it runs as root: as another user it would
# remark on that.
rehearse() {
  stage=$(mktemp -d)
  # Its log must tell of errors, and messages are none of its business.
  printf 'user root\npersistence false\nlog_type error\nlog_type warning\nlog_type notice\n' >"$stage/conf"
  sed -e '/^persistence/d' -e '/^autosave_interval /d' -e "s#$config/live#$files#g" "$incoming/mosquitto.conf" >>"$stage/conf"
  (
    /usr/sbin/mosquitto -c "$stage/conf" >"$stage/log" 2>&1 &
    echo $! >"$stage/pid"
    wait $! || true
    : >"$stage/ended"
  ) &
  end=$(($(date +%s) + 20))
  passed=no
  while [ ! -e "$stage/ended" ] && [ "$(date +%s)" -lt "$end" ]; do
    if answers; then
      passed=yes
      break
    fi
    # It will not mend itself.
    if [ -n "$(errors)" ]; then break; fi
    sleep 0.1
  done
  if [ "$passed" = yes ] && found=$(shuts_out_friends "$incoming"); then
    passed=no
    found="$found: $(tail -n 3 "$stage/log")"
  else
    found=$(errors)
  fi
  # Strangers come last, because the log has an error for each of them.
  if [ "$passed" = yes ] && [ -z "$found" ]; then found=$(lets_strangers_in) || true; fi
  if [ -s "$stage/pid" ]; then kill "$(cat "$stage/pid")" 2>/dev/null || true; fi
  wait
  if [ "$passed" = yes ] && [ -z "$found" ]; then return 0; fi
  words="the broker does not run on set $SET, which stays off; its own words: ${found:-$(tail -n 5 "$stage/log")}"
  return 1
}

errors() { grep -E 'Error|Invalid|Unable' "$stage/log" || true; }

# The topic is allowed at the end of the set's own rules: an answer proves that they were read to their end.
answers() {
  topic='$cdktf-mosquitto/set/'$SET
  answer=$(timeout 5 mosquitto_rr -V mqttv5 -h 127.0.0.1 -p 18883 --cafile "$files/server-ca.crt" \
    --cert "$files/control.crt" --key "$files/control.key" -t "$topic" -e "$topic" -m "$SET" -W 3 2>&1) || true
  printf '%s\n' "$answer" | grep -qx "$SET"
}

# Whether the broker's container is replaced with this set, rather than told to read it.
starts_anew() {
  if [ ! -e "$config/live/conf" ] || [ "$(cat "$config/live/conf")" != "$CONF" ]; then return 0; fi
  for file in $REPLACED_WITH; do
    if ! cmp -s "$config/live/$file" "$1/$file"; then return 0; fi
  done
  return 1
}

# Terraform takes a container away before what replaces it is tried. So where that has happened, the broker comes back on
# what it had before, and the reloader fails the deploy.
refuse() {
  anew=no
  if [ -e "$config/live/conf" ] && starts_anew "$files"; then anew=yes; fi
  rm -rf "$files"
  if [ "$anew" = yes ]; then
    before=$(cat "$config/live/conf")
    if [ "$before" != "$CONF" ]; then
      place_conf "$config/conf/$before.conf"
      : >"$config/conf/$CONF.stand-in"
    fi
    printf '%s\n' "$words" >"$config/refused"
    chown 1883:1883 "$config"/refused "$config"/conf/*
    rm -rf "$config"/incoming-*
    echo "$words"
    exit 0
  fi
  echo "$words" >&2
  exit 1
}

place_conf() {
  cp "$1" "$config/conf/$CONF.conf.new"
  chmod 0400 "$config/conf/$CONF.conf.new"
  chown 1883:1883 "$config/conf/$CONF.conf.new"
  mv "$config/conf/$CONF.conf.new" "$config/conf/$CONF.conf"
}

mkdir -p "$config/sets" "$config/conf"
# What a writer left that was killed: nobody but root could take it away.
rm -rf "$config"/sets/*.new "$config/refused"
# What a version cannot do safely was refused for the declared one.
found=$(/usr/sbin/mosquitto -h | sed -n 's/^mosquitto version \([0-9]*\.[0-9]*\).*/\1/p')
if [ "$found" != "$LINE" ]; then
  words="the image has Mosquitto ${found:-of an unknown version} in it, and is declared with $LINE; declare its version"
  refuse
fi
mkdir "$files"
for file in $FILES; do cp "$incoming/$file" "$files/$file"; done
# A topic that only this set allows: whoever can use it talks to a broker that has read the set to its end. It begins
# with $, so that a client with the filter # does not see it.
printf 'user %s\ntopic readwrite $cdktf-mosquitto/verify\n' "$VERIFY" >>"$files/acl"
printf 'user %s\ntopic readwrite $cdktf-mosquitto/set/%s\n' "$CONTROL" "$SET" >>"$files/acl"
printf '%s' "$CONF" >"$files/conf"
# Also a set that is staged: the image may be another one.
if ! rehearse; then refuse; fi
if [ -d "$set" ]; then
  rm -rf "$files"
else
  chmod 0400 "$files"/*
  chmod 0700 "$files"
  chown -R 1883:1883 "$files"
  mv "$files" "$set"
fi
place_conf "$incoming/mosquitto.conf"
chown 1883:1883 "$config" "$config/sets" "$config/conf" /mosquitto/data
chmod 0700 "$config"
# Docker fills a new volume with what the image has there: a mosquitto.conf that lets anybody in.
rm -rf "$config"/incoming-* "$config/mosquitto.conf"

# A broker that runs on this mosquitto.conf goes over by reload, at the hand of the reloader. Otherwise it is
# about to be started, and must find its set.
if starts_anew "$set"; then
  if [ -e "$config/live" ]; then
    basename "$(readlink "$config/live")" >"$config/previous"
    chown 1883:1883 "$config/previous"
  fi
  rm -f "$config/live.new"
  ln -s "sets/$SET" "$config/live.new"
  chown -h 1883:1883 "$config/live.new"
  mv -T "$config/live.new" "$config/live"
  echo "set $SET is staged and live"
else
  echo "set $SET is staged"
fi
