#!/usr/bin/env python3
"""Signs a request by RFC 9421 (hmac-sha256) and sends it, with Python's standard library alone.

    COUNTERSIGN_KEY=billing COUNTERSIGN_SECRET=... ./client.py METHOD URL [JSON_FILE]

The URL is signed as it is spelled: lower-case host, no default port, a path, no fragment.
"""

import base64
import hashlib
import hmac
import http.client
import os
import secrets
import sys
import time
from urllib.parse import urlsplit


def signature_fields(method, url, fields, body, key_id, secret):
    """Gives the fields that sign a request; `fields` are those of it that are to be covered."""
    made = {}
    covered = {"@method": method, "@target-uri": url}
    if body is not None:
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        made["Content-Digest"] = f"sha-256=:{digest}:"
    for name, value in {**made, **fields}.items():
        covered[name.lower()] = value
    names = " ".join(f'"{name}"' for name in covered)
    nonce = secrets.token_hex(16)
    params = f'({names});created={int(time.time())};keyid="{key_id}";nonce="{nonce}"'
    lines = [f'"{name}": {value}' for name, value in covered.items()]
    base = "\n".join([*lines, f'"@signature-params": {params}'])
    mac = hmac.new(secret.encode(), base.encode(), hashlib.sha256).digest()
    made["Signature-Input"] = f"sig1={params}"
    made["Signature"] = f"sig1=:{base64.b64encode(mac).decode()}:"
    return made


def main():
    method, url, *files = sys.argv[1:]
    body, fields = None, {}
    if files:
        with open(files[0], "rb") as file:
            body = file.read()
        fields = {"Content-Type": "application/json"}
    key_id, secret = os.environ["COUNTERSIGN_KEY"], os.environ["COUNTERSIGN_SECRET"]
    fields.update(signature_fields(method, url, fields, body, key_id, secret))

    # Not urllib.request: it would send the signed request on to wherever it is redirected.
    parts = urlsplit(url)
    connections = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
    connection = connections[parts.scheme](parts.netloc, timeout=30)
    target = url[len(f"{parts.scheme}://{parts.netloc}") :]
    connection.request(method, target, body, fields)
    answer = connection.getresponse()
    print(answer.status, answer.reason)
    print(answer.read().decode())
    return 0 if answer.status < 400 else 1


if __name__ == "__main__":
    sys.exit(main())
