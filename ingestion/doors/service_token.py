"""The bearer tokens by which the processes of one data home know each other, one for each door.

Here: deriving them from a key of the home. Not here: who sends and who asks for one. A token that is
heard at one door opens no other.
"""

import hashlib
import hmac
from typing import Literal

from privacy.keys.key_store import KeyStore

LIVE_API, RECEIVER = "live-api", "receiver"


def service_token(keys: KeyStore, door: Literal["live-api", "receiver"] = LIVE_API) -> str:
    """The token, derived from a key of this home: who can read `keys/` can make it."""
    secret = keys.named_key("access.service").secret
    return hmac.new(secret, door.encode(), hashlib.sha256).hexdigest()
