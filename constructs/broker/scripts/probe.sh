# Knocks at a broker's own listeners from within its network: as whom it must let in, and as whom it must refuse.
# Read by the writer and the reloader. files: folder of the set. LISTENERS: PORT:KIND:VERSION:PROTOCOL of each, in a row.
# VERIFY: the name of the library's client.

# knock PORT PROTOCOL OPTION...: connects and subscribes, which is granted to whoever is let in. Ends with 0 then, with
# MQTT's reason where TLS went well and CONNECT was refused, with another number otherwise.
knock() (
  port=$1
  protocol=$2
  shift 2
  case $protocol in
    mqtts | wss) set -- --cafile "$files/server-ca.crt" "$@" ;;
  esac
  case $protocol in
    ws | wss) set -- --ws "$@" ;;
  esac
  came=0
  said=$(timeout 5 mosquitto_sub -d -h 127.0.0.1 -p "$port" "$@" -t cdktf-mosquitto/any -E -W 3 </dev/null 2>/dev/null) ||
    came=$?
  # Over WebSockets it ends with 4, let in or not, when the broker has closed before its good-bye is out.
  case $said in
    *'received SUBACK'*) exit 0 ;;
  esac
  exit "$came"
)

# As the library's own client, which no device loses its session to. $1: folder of its files, the password in one of them.
shuts_out_friends() {
  for listener in $LISTENERS; do
    version=${listener%:*}
    set -- "$1" "${listener%%:*}" "${listener##*:}" -V "${version##*:}"
    case $listener in
      *:mutualTls:*) needed=verify.crt ;;
      *:mutualTlsWithPassword:*) needed="verify.crt mosquitto_sub" ;;
      *) needed=mosquitto_sub ;;
    esac
    for file in $needed; do
      if [ ! -e "$1/$file" ]; then continue 2; fi
    done
    case $needed in
      verify.crt*) set -- "$@" --cert "$1/verify.crt" --key "$1/verify.key" ;;
    esac
    (
      folder=$1
      shift
      # Options of mosquitto_sub are read from there.
      case $needed in
        *mosquitto_sub) export XDG_CONFIG_HOME="$folder" ;;
      esac
      knock "$@"
    ) || {
      echo "port $2 shuts out a client with good credentials"
      return 0
    }
  done
  return 1
}

# Says whom it lets in, and ends with 0, when that is somebody whom it must refuse.
lets_strangers_in() {
  for listener in $LISTENERS; do
    port=${listener%%:*}
    protocol=${listener##*:}
    version=${listener%:*}
    version=${version##*:}
    if knock "$port" "$protocol" -V "$version"; then
      echo "port $port lets in a client that says nothing of itself"
      return 0
    fi
    case $listener in
      *:mutualTls:* | *:mutualTlsWithPassword:*)
        if [ -e "$files/revoked.crt" ]; then
          came=0
          knock "$port" "$protocol" -V "$version" --cert "$files/revoked.crt" --key "$files/revoked.key" || came=$?
          # MQTT's own refusals come after TLS has let it through.
          case $came in
            0 | 4 | 5 | 134 | 135)
              echo "port $port lets in a certificate that is revoked"
              return 0
              ;;
          esac
        fi
        ;;
      *)
        if knock "$port" "$protocol" -V "$version" -u "$VERIFY" -P wrong; then
          echo "port $port lets in a wrong password"
          return 0
        fi
        ;;
    esac
  done
  if ! timeout 5 mosquitto_pub -V mqttv5 -q 1 -h 127.0.0.1 -p 18883 --cafile "$files/server-ca.crt" \
    --cert "$files/control.crt" --key "$files/control.key" -t '$cdktf-mosquitto/forbidden' -m any 2>&1 |
    grep -qi 'not authori'; then
    echo "a topic that no rule allows can be published to"
    return 0
  fi
  return 1
}
