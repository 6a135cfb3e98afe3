#!/bin/sh
# lsblk (util-linux): the recorded block devices with the columns asked for, as JSON, pairs or plain text.
columns=NAME,SIZE,TYPE bytes= only_disks= style=plain header=1 next=
for given in "$@"; do
  if [ -n "$next" ]; then columns=$given next=; continue; fi
  case $given in
    --json) style=json ;; --pairs) style=pairs ;; --bytes) bytes=1 ;; --nodeps) only_disks=1 ;; --noheadings) header= ;;
    --output) next=1 ;;
    --output=*) columns=${given#--output=} ;;
    -*)
      case $given in *J*) style=json ;; *P*) style=pairs ;; esac
      case $given in *b*) bytes=1 ;; esac
      case $given in *d*) only_disks=1 ;; esac
      case $given in *n*) header= ;; esac
      case $given in *o) next=1 ;; -*o*) columns=${given#-*o} ;; esac ;;
  esac
done
columns=$(printf '%s' "$columns" | /usr/bin/tr ',a-z' ' A-Z')
tab=$(printf '\t')
first=1
[ "$style" = json ] && printf '{\n   "blockdevices": ['
[ "$style" = plain ] && [ -n "$header" ] && echo "$columns"
# The tab is white space to read: empty fields would fold, so each row is cut by hand.
while IFS= read -r row; do
  set --
  rest=$row$tab
  while [ -n "$rest" ]; do set -- "$@" "${rest%%"$tab"*}"; rest=${rest#*"$tab"}; done
  [ -n "$only_disks" ] && [ "$2" != disk ] && continue
  line=
  for column in $columns; do
    quote='"'
    case $column in
      NAME | KNAME) value=$1 ;;
      PATH) value=/dev/$1 ;;
      TYPE) value=$2 ;;
      SIZE) if [ -n "$bytes" ]; then value=$3 quote=; else value=$4; fi ;;
      MODEL) value=$5 ;;
      SERIAL) value=$6 ;;
      WWN) value=$7 ;;
      TRAN) value=$8 ;;
      ROTA) if [ "$9" = 0 ]; then value=false; else value=true; fi; quote= ;;
      VENDOR) value= ;;
      PKNAME) value=${10} ;;
      *) value= ;;
    esac
    case $style in
      json)
        if [ -z "$value" ]; then value=null quote=; fi
        name=$(printf '%s' "$column" | /usr/bin/tr A-Z a-z)
        line="$line${line:+, }\"$name\": $quote$value$quote" ;;
      pairs) [ "$column" = ROTA ] && value=$9; line="$line${line:+ }$column=\"$value\"" ;;
      plain) line="$line${line:+ }$value" ;;
    esac
  done
  if [ "$style" = json ]; then
    [ -z "$first" ] && printf ','
    printf '\n      {%s}' "$line"
  else
    printf '%s\n' "$line"
  fi
  first=
done <"$LAB_HOST/commands/lsblk"
[ "$style" = json ] && printf '\n   ]\n}\n'
exit 0
