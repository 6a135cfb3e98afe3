#!/bin/sh
if [ -n "$LAB_ROOT" ]; then uid=0 user=root; else uid=1001 user=${USER:-cmdb}; fi
case $1 in
  -u) echo "$uid" ;;
  -un) echo "$user" ;;
  *) echo "uid=$uid($user) gid=$uid($user) groups=$uid($user)" ;;
esac
