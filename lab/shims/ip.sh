#!/bin/sh
# ip (iproute2): JSON of the recorded links, addresses, routes and neighbours.
json= details= object=
for given in "$@"; do
  case $given in
    -j | -js | -json | --json) json=1 ;;
    -d | -details | --details) details=.details ;;
    -j*d* | -d*j*) json=1 details=.details ;;
    -*) ;;
    a | addr | address) [ -n "$object" ] || object=addr ;;
    l | link) [ -n "$object" ] || object=link ;;
    r | route) [ -n "$object" ] || object=route details= ;;
    n | neigh | neighbor | neighbour) [ -n "$object" ] || object=neigh details= ;;
  esac
done
case $object in route | neigh) details= ;; esac
if [ -z "$object" ] || [ -z "$json" ]; then
  echo 'Usage: ip [ OPTIONS ] OBJECT { COMMAND | help }   (this host is asked with -json)' >&2
  exit 255
fi
exec /bin/cat "$LAB_HOST/commands/ip.$object$details"
