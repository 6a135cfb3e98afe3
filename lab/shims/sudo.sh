#!/bin/sh
# sudo: without a password (-n) where the host's sudoers allow it.
while :; do
  case $1 in
    -n | --non-interactive | -E | -H) shift ;;
    -u) shift 2 ;;
    -l) break ;;
    --) shift; break ;;
    *) break ;;
  esac
done
read -r allowed <"$LAB_HOST/commands/sudo"
if [ "$allowed" != yes ]; then
  echo 'sudo: a password is required' >&2
  exit 1
fi
[ "$1" = -l ] || [ $# -eq 0 ] && exit 0
case $1 in [A-Z]*=*) exec /usr/bin/env LAB_ROOT=1 "$@" ;; esac
if ! command -v "$1" >/dev/null; then
  echo "sudo: $1: command not found" >&2
  exit 1
fi
LAB_ROOT=1
export LAB_ROOT
exec "$@"
