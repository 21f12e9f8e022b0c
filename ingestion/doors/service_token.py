"""The bearer token by which the processes of one data home know each other."""

import hashlib
import hmac

from privacy.keys.store import KeyStore


def service_token(keys: KeyStore) -> str:
    """The token, derived from a key of this home: who can read `keys/` can make it."""
    secret = keys.named_key("access.service").secret
    return hmac.new(secret, b"live-api", hashlib.sha256).hexdigest()
