#!/bin/sh
# dmidecode -s KEYWORD: strings of the firmware, for root.
if [ -z "$LAB_ROOT" ]; then
  echo '/sys/firmware/dmi/tables/smbios_entry_point: Permission denied' >&2
  exit 1
fi
[ "$1" = -q ] && shift
if [ "$1" != -s ]; then echo 'dmidecode: this host is asked with -s KEYWORD' >&2; exit 2; fi
tab=$(printf '\t')
while IFS=$tab read -r key value; do
  if [ "$key" = "$2" ]; then printf '%s\n' "$value"; exit 0; fi
done <"$LAB_HOST/commands/dmidecode"
echo "Invalid argument to -s: $2" >&2
exit 2
