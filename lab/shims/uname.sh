#!/bin/sh
read -r name <"$LAB_HOST/commands/hostname"
read -r kernel <"$LAB_HOST/commands/kernel"
[ $# -eq 0 ] && set -- -s
out=
for given in "$@"; do
  case $given in
    -a) out="$out Linux $name $kernel #1 SMP PREEMPT_DYNAMIC x86_64 GNU/Linux"; continue ;;
    -*[!snrvmpio]*) echo "uname: invalid option" >&2; exit 1 ;;
  esac
  case $given in *s*) out="$out Linux" ;; esac
  case $given in *n*) out="$out $name" ;; esac
  case $given in *r*) out="$out $kernel" ;; esac
  case $given in *v*) out="$out #1 SMP PREEMPT_DYNAMIC" ;; esac
  case $given in *m* | *p* | *i*) out="$out x86_64" ;; esac
  case $given in *o*) out="$out GNU/Linux" ;; esac
done
echo "${out# }"
