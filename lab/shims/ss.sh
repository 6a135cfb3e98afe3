#!/bin/sh
# ss (iproute2): recorded sockets, chosen by protocol, state and -l/-a; users of sockets are root's to see.
tcp= udp= listening= all= users= header=1 state= next=
for given in "$@"; do
  if [ -n "$next" ]; then state=$given next=; continue; fi
  case $given in
    --tcp) tcp=1 ;; --udp) udp=1 ;; --listening) listening=1 ;; --all) all=1 ;;
    --processes) users=1 ;; --no-header) header= ;;
    --*) ;;
    -*)
      case $given in *t*) tcp=1 ;; esac
      case $given in *u*) udp=1 ;; esac
      case $given in *l*) listening=1 ;; esac
      case $given in *a*) all=1 ;; esac
      case $given in *p*) users=1 ;; esac
      case $given in *H*) header= ;; esac ;;
    state) next=1 ;;
  esac
done
[ -n "$tcp$udp" ] || tcp=1 udp=1
both=
[ -n "$tcp" ] && [ -n "$udp" ] && both=1
if [ -n "$header" ]; then
  [ -n "$both" ] && printf 'Netid '
  [ -z "$state" ] && printf 'State  '
  printf 'Recv-Q Send-Q Local Address:Port  Peer Address:Port Process\n'
fi
tab=$(printf '\t')
while IFS=$tab read -r netid is receive send near far owner; do
  case $netid in tcp) [ -n "$tcp" ] || continue ;; udp) [ -n "$udp" ] || continue ;; esac
  case $is in LISTEN | UNCONN) waiting=1 ;; *) waiting= ;; esac
  case $state in
    '') if [ -z "$all" ]; then
          if [ -n "$listening" ]; then [ -n "$waiting" ] || continue; else [ -z "$waiting" ] || continue; fi
        fi ;;
    established) [ "$is" = ESTAB ] || continue ;;
    listening) [ "$is" = LISTEN ] || continue ;;
    connected) [ -z "$waiting" ] || continue ;;
    all) ;;
    *) continue ;;
  esac
  [ -n "$both" ] && printf '%-5s ' "$netid"
  [ -z "$state" ] && printf '%-6s ' "$is"
  printf '%-6s %-6s %21s %21s ' "$receive" "$send" "$near" "$far"
  [ -n "$users" ] && [ -n "$LAB_ROOT" ] && printf '%s' "$owner"
  printf '\n'
done <"$LAB_HOST/commands/ss"
