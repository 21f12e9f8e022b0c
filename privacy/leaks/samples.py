"""One made-up leak of every kind, planted by the scan to prove that it sees.

Numbers carry valid checksums and belong to documentation ranges or are put together at run time,
so that this file holds no secret and no person.
"""

import base64

_HEAD = base64.urlsafe_b64encode(b'{"alg":"HS256"}').decode()
_BODY = base64.urlsafe_b64encode(b'{"sub":"48213"}').decode()
SAMPLES = {
    "email": "eva.lindqvist" + "@" + "canary.example",
    "obfuscated_email": "eva.lindqvist (at) canary (dot) example",
    "phone": "call +44 7700 900461 now",
    "card": "4000 0566 5566 5556",
    "iban": "GB82 WEST 1234 5698 7654 32",
    "national_id": "536-22-8726",
    "jwt": f"{_HEAD.rstrip('=')}.{_BODY.rstrip('=')}.c2lnbmF0dXJl",
    "api_key": "sk" + "-proj-" + "9aK3LmQ2xYv7TtRz81BcDeFg",
    "private_key": "-----BEGIN " + "PRIVATE KEY-----",
    "bearer": "authorization: Bearer " + "canary.def123ghi456",
    "credential": "password" + "=hunter2canary",
    "home_directory": "/home/" + "jkowalczyk/notes",
    "ip": "from 203.0.113.77 again",
    "mac": "3c:22:fb:12:9a:01",
    "uuid": "6b7f0c9a-0d3f-4a6e-9a8e-51c2f1b0a7d4",
    "name": "a note about Priyanka and more",
}
