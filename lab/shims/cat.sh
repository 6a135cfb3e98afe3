#!/bin/sh
# cat: files are the host's recordings; without a file, its input. Globs that found nothing here are tried there.
[ $# -eq 0 ] && exec /bin/cat
status=0
for given in "$@"; do
  case $given in -) /bin/cat; continue ;; -*) continue ;; esac
  found=
  for path in "$LAB_HOST/files"$given "$LAB_HOST/private"$given; do
    [ -f "$path" ] || continue
    found=1
    case $path in
      "$LAB_HOST/private"*)
        if [ -z "$LAB_ROOT" ]; then
          echo "cat: ${path#"$LAB_HOST/private"}: Permission denied" >&2
          status=1
          continue
        fi ;;
    esac
    /bin/cat "$path"
  done
  if [ -z "$found" ]; then
    echo "cat: $given: No such file or directory" >&2
    status=1
  fi
done
exit $status
