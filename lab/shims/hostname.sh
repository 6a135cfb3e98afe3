#!/bin/sh
case $1 in
  -f | --fqdn | --long) exec /bin/cat "$LAB_HOST/commands/hostname.fqdn" ;;
  *) exec /bin/cat "$LAB_HOST/commands/hostname" ;;
esac
