#!/bin/sh
# Text and file tools (grep, head, ls, find, …): the real tool, with absolute paths led into the host's recordings.
tool=${0##*/}
real=/usr/bin/$tool
[ -x "$real" ] || real=/bin/$tool
root=$LAB_HOST/files
strip() { /bin/sed "s|$root||g;s|$LAB_HOST/private||g;s|^$real: |$tool: |"; }
count=$#
while [ "$count" -gt 0 ]; do
  given=$1
  shift
  count=$((count - 1))
  case $given in
    /etc* | /proc* | /sys* | /var* | /run* | /dev/disk* | /boot* | /home* | /opt* | /srv*)
      case $tool in
        sed | awk) [ -e "$root$given" ] || { set -- "$@" "$given"; continue; } ;;  # A script may begin like a path.
      esac
      set -- "$@" "$root"$given
      private=$LAB_HOST/private$given
      if [ -f "$private" ]; then
        if [ -z "$LAB_ROOT" ]; then
          echo "$tool: $given: Permission denied" >&2
          exit 2
        fi
        exec "$real" "$private"
      fi ;;
    *) set -- "$@" "$given" ;;
  esac
done
exec 3>&1 4>&2
code=$({ { { "$real" "$@"; echo $? >&5; } 2>&1 >&6 | strip >&4; } 6>&1 | strip >&3; } 5>&1)
exit "$code"
