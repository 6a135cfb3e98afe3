#!/bin/sh
# lldpcli (lldpd): the recorded neighbours. Its socket belongs to root.
if [ -z "$LAB_ROOT" ]; then
  echo '[WARN/lldpctl] unable to connect to socket /run/lldpd.socket: Permission denied' >&2
  echo '[WARN/lldpctl] cannot connect to lldpd' >&2
  exit 1
fi
format=plain next= words=
for given in "$@"; do
  if [ -n "$next" ]; then format=$given next=; continue; fi
  case $given in -f) next=1 ;; -f*) format=${given#-f} ;; -*) ;; *) words="$words $given" ;; esac
done
case $words in
  ' show neighbors'* | ' show neighbor'* | ' show nei'*) ;;
  *) echo "[WARN/lldpctl] unknown command from argument 1:$words" >&2; exit 1 ;;
esac
case $format in
  json | json0) exec /bin/cat "$LAB_HOST/commands/lldpcli.$format" ;;
  *) echo "lldpcli: this host is asked with -f json" >&2; exit 1 ;;
esac
