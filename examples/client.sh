#!/usr/bin/env bash
# Signs a request by RFC 9421 (hmac-sha256) with bash and openssl, and sends it with curl.
#   COUNTERSIGN_KEY=billing COUNTERSIGN_SECRET=... ./client.sh METHOD URL [JSON_FILE]
# The URL is signed as it is spelled: lower-case host, no default port, a path, no fragment.
set -euo pipefail
export LC_ALL=C

method=$1 url=$2 file=${3-}
key=$COUNTERSIGN_KEY secret=$COUNTERSIGN_SECRET
[[ $secret =~ ^[!-~]{1,64}$ ]] || { echo 'the secret has to be 1 to 64 visible characters' >&2; exit 2; }

# HMAC as RFC 2104 defines it. `openssl dgst -hmac "$secret"` would show the secret to everybody who lists processes.
hmac() {
  local i byte inner='' outer=''
  for ((i = 0; i < 64; i++)); do
    byte=0
    if ((i < ${#secret})); then printf -v byte %d "'${secret:i:1}"; fi
    printf -v inner '%s\\x%02x' "$inner" $((byte ^ 0x36))
    printf -v outer '%s\\x%02x' "$outer" $((byte ^ 0x5c))
  done
  { printf "$outer"; { printf "$inner"; printf %s "$1"; } | openssl dgst -sha256 -binary; } |
    openssl dgst -sha256 -binary | openssl base64 -A
}

covered='"@method" "@target-uri"'
base="\"@method\": $method"$'\n'"\"@target-uri\": $url"
request=(--request "$method")
if [[ -n $file ]]; then
  digest="sha-256=:$(openssl dgst -sha256 -binary <"$file" | openssl base64 -A):"
  covered+=' "content-digest" "content-type"'
  base+=$'\n'"\"content-digest\": $digest"$'\n'"\"content-type\": application/json"
  request+=(--header "Content-Digest: $digest" --header 'Content-Type: application/json' --data-binary "@$file")
fi
params="($covered);created=${EPOCHSECONDS:-$(date +%s)};keyid=\"$key\";nonce=\"$(openssl rand -hex 16)\""
base+=$'\n'"\"@signature-params\": $params"

# Without the two path options curl would send another URL than the one that is signed.
exec curl --silent --show-error --include --fail-with-body --path-as-is --globoff "${request[@]}" \
  --header "Signature-Input: sig1=$params" --header "Signature: sig1=:$(hmac "$base"):" "$url"
