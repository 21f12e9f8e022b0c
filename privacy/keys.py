"""Keys: one key-encryption key (KEK) wraps one data key per dataset and day.

Here: creating, wrapping, reading and destroying keys, and sealing bytes with them. Not here:
which day a fact belongs to (`ingestion/spool`, `ingestion/lake`) and when a day expires
(`privacy/retention`). Destroying a day's key is what makes its data gone, backups included,
so keys never live in DuckDB, in logs, or beside the data in a backup.

Order of KEK sources: `TTA_KEK_FILE` (path, 0600) > `TTA_MONITOR_KEK` (base64) > `keys/kek`.
"""

import base64
import os
import secrets
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
_NONCE_BYTES = 12


class KeyProblem(Exception):
    """A key is missing, wrong or destroyed; the message names the thing, the cause and the fix."""


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
    except InvalidTag as error:
        raise KeyProblem(
            f"sealed data for {aad.decode(errors='replace')} does not open with key {key.id}: "
            "wrong key, moved or altered bytes. Restore the data or the keys/ folder it belongs to."
        ) from error


class KeyStore:
    """Data keys under `<home>/keys`, wrapped by the KEK; files are 0600, written atomically."""

    def __init__(self, folder: Path, kek: bytes) -> None:
        self._folder = folder
        self._kek = DataKey("kek", kek)
        self._cache: dict[str, DataKey] = {}

    @classmethod
    def open(cls, home: Path, *, create: bool = False) -> "KeyStore":
        """Open the keys of a data home; `create` makes a fresh KEK in an empty home only.

        Raises KeyProblem when the KEK is missing or does not open the keys that exist.
        """
        folder = home / "keys"
        kek = _read_kek(folder)
        if kek is None:
            if not create:
                raise KeyProblem(
                    f"no key in {folder}/kek, TTA_KEK_FILE or TTA_MONITOR_KEK: the data home cannot "
                    "be opened. Run `./tta.sh monitor up` to create a home, or restore its "
                    "keys/ folder."
                )
            if (home / "spool.db").exists() or (folder / "check").exists():
                raise KeyProblem(
                    f"{home} holds sealed data but its key is missing. Restore {folder}/kek or set "
                    "TTA_KEK_FILE; to start afresh choose another --home."
                )
            kek = secrets.token_bytes(KEY_BYTES)
            _write_private(folder / "kek", base64.b64encode(kek))
            kek = _read_kek(folder) or kek
        store = cls(folder, kek)
        store._verify()
        return store

    def named_key(self, name: str) -> DataKey:
        """The long-lived key of a rebuildable dataset such as `warehouse` or `published`."""
        return self._get_or_create(name, "current")

    def data_key(self, dataset: str, day: date) -> DataKey:
        """The key of a dataset and UTC day, created on first use."""
        return self._get_or_create(dataset, day.isoformat())

    def existing_key(self, key_id: str) -> DataKey:
        """The key with this id; raises KeyProblem when it was destroyed or never was."""
        if key_id in self._cache and self._path(key_id).exists():
            return self._cache[key_id]
        path = self._path(key_id)
        try:
            wrapped = path.read_bytes()
        except FileNotFoundError as error:
            raise KeyProblem(
                f"key {key_id} does not exist: it expired and was destroyed, or {self._folder} "
                "is not the folder that belongs to this data."
            ) from error
        return self._remember(key_id, unseal(self._kek, wrapped, key_id.encode()))

    def days(self, dataset: str) -> list[date]:
        """Days for which the dataset has a key, oldest first."""
        files = (self._folder / "data" / dataset).glob("*.key")
        return sorted(date.fromisoformat(f.stem) for f in files if f.stem != "current")

    def destroy(self, dataset: str, day: date) -> bool:
        """Destroy a day's key; True when there was one. The data it sealed is gone with it."""
        key_id = f"{dataset}/{day.isoformat()}"
        self._cache.pop(key_id, None)
        path = self._path(key_id)
        if not path.exists():
            return False
        path.write_bytes(b"\0" * path.stat().st_size)
        path.unlink()
        return True

    def _verify(self) -> None:
        """Open the check value, or write it first: a wrong KEK is found at start."""
        check = self._folder / "check"
        if not check.exists():
            _write_private(check, seal(self._kek, b"tta-monitor", b"check"))
        try:
            unseal(self._kek, check.read_bytes(), b"check")
        except KeyProblem as error:
            raise KeyProblem(
                f"the key given does not open {self._folder}: it is the key of another home. "
                "Point TTA_KEK_FILE, TTA_MONITOR_KEK or keys/kek at the right one."
            ) from error

    def _get_or_create(self, dataset: str, period: str) -> DataKey:
        key_id = f"{dataset}/{period}"
        if key_id in self._cache:
            return self._cache[key_id]
        path = self._path(key_id)
        if not path.exists():
            _write_private(path, seal(self._kek, secrets.token_bytes(KEY_BYTES), key_id.encode()))
        return self.existing_key(key_id)

    def _remember(self, key_id: str, secret: bytes) -> DataKey:
        self._cache[key_id] = DataKey(key_id, secret)
        return self._cache[key_id]

    def _path(self, key_id: str) -> Path:
        return self._folder / "data" / f"{key_id}.key"


def utc_today() -> date:
    """Today in UTC: the day whose key seals what arrives now."""
    return datetime.now(UTC).date()


def _read_kek(folder: Path) -> bytes | None:
    path = os.environ.get("TTA_KEK_FILE")
    text = os.environ.get("TTA_MONITOR_KEK")
    if path:
        return _decode_kek(_read_kek_file(Path(path)), path)
    if text:
        return _decode_kek(text, "TTA_MONITOR_KEK")
    if (folder / "kek").exists():
        return _decode_kek(_read_kek_file(folder / "kek"), str(folder / "kek"))
    return None


def _read_kek_file(path: Path) -> str:
    try:
        if path.stat().st_mode & 0o077:
            raise KeyProblem(f"{path} can be read by others. Run: chmod 600 {path}")
        return path.read_text()
    except OSError as error:
        raise KeyProblem(f"key file {path} cannot be read: {error.strerror}.") from error


def _decode_kek(text: str, source: str) -> bytes:
    try:
        kek = base64.b64decode(text.strip(), validate=True)
    except ValueError as error:
        raise KeyProblem(f"{source} is not base64. Give 32 random bytes in base64.") from error
    if len(kek) != KEY_BYTES:
        raise KeyProblem(f"{source} holds {len(kek)} bytes, a key has {KEY_BYTES}.")
    return kek


def _write_private(path: Path, content: bytes) -> None:
    """Create the file once: the first of several racing processes wins, none sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(temporary, path)
    except FileExistsError:
        # Another process was first; its key is the key.
        path.stat()
    finally:
        temporary.unlink()
