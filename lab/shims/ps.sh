#!/bin/sh
# ps -eo COLUMNS (procps): recorded processes; NAME= asks for no heading.
columns=pid,user,comm,args next=
for given in "$@"; do
  if [ -n "$next" ]; then columns=$given next=; continue; fi
  case $given in -*o) next=1 ;; -*o*) columns=${given#-*o} ;; esac
done
heading=1
case $columns in *=*) heading= ;; esac
columns=$(printf '%s' "$columns" | /usr/bin/tr -d '=' | /usr/bin/tr ',' ' ')
[ -n "$heading" ] && printf '%s\n' "$columns" | /usr/bin/tr a-z A-Z
tab=$(printf '\t')
while IFS=$tab read -r pid parent user comm args; do
  line=
  for column in $columns; do
    case $column in
      pid) value=$pid ;; ppid) value=$parent ;; user | euser) value=$user ;; comm | ucmd) value=$comm ;;
      args | cmd | command) value=$args ;; *) value=- ;;
    esac
    line="$line${line:+ }$value"
  done
  printf '%s\n' "$line"
done <"$LAB_HOST/commands/ps"
