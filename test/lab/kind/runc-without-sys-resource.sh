#!/bin/bash
# runc for a docker daemon that lacks CAP_SYS_RESOURCE: `docker run --privileged` and `docker exec --privileged` ask for
# every capability there is ("unable to apply caps: operation not permitted"), and lowering an OOM score needs that one
# too. Both are taken out of what runc is asked for.
set -euo pipefail
bundle=. process= previous=
for word in "$@"; do
  case $previous in
  --bundle | -b) bundle=$word ;;
  --process | -p) process=$word ;;
  esac
  previous=$word
done

without='def without:
  (if .capabilities then .capabilities |= map_values(map(select(. != "CAP_SYS_RESOURCE"))) else . end)
  | if (.oomScoreAdj // 0) < 0 then del(.oomScoreAdj) else . end;'
rewrite() {
  local changed
  changed=$(jq --compact-output "$without $1" "$2") && printf '%s' "$changed" >"$2"
}

case " $* " in
*" create "* | *" run "*) rewrite '.process |= without' "$bundle/config.json" ;;
*" exec "*) [ -z "$process" ] || rewrite without "$process" ;;
esac
exec /usr/sbin/runc "$@"
