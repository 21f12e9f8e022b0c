"""AES-256-GCM over bytes: the one way in which anything is sealed.

Here: a data key, `seal`, `unseal` and what is raised when something does not open. Not here: where keys
come from (`kek`, `keys`) and what is sealed with them. Source: NIST SP 800-38D (AES-GCM).
"""

import secrets
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
_NONCE_BYTES = 12


class KeyProblem(Exception):
    """A key is missing, wrong or destroyed; the message names the thing, the cause and the fix."""


class KeyDestroyed(KeyProblem):
    """The key is not there any more: what it sealed has expired, or keys/ is not its folder."""


@dataclass(frozen=True)
class DataKey:
    """One AES-256 key; `id` is `<dataset>/<day>` and safe to write anywhere."""

    id: str
    secret: bytes = field(repr=False)


def seal(key: DataKey, plaintext: bytes, aad: bytes) -> bytes:
    """Encrypt with AES-256-GCM; returns nonce + ciphertext + tag (NIST SP 800-38D)."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key.secret).encrypt(nonce, plaintext, aad)


def unseal(key: DataKey, sealed: bytes, aad: bytes) -> bytes:
    """Decrypt what `seal` made; raises KeyProblem when key, place (`aad`) or bytes differ."""
    try:
        return AESGCM(key.secret).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], aad)
    except (InvalidTag, ValueError) as error:
        raise KeyProblem(
            f"sealed data for {aad.decode(errors='replace')} does not open with key {key.id}: "
            "wrong key, moved or altered bytes. Restore the data or the keys/ folder it belongs to."
        ) from error
