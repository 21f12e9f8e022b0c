"""Keys: one key-encryption key (KEK) wraps one data key per dataset and day.

Here: creating, wrapping, reading and destroying data keys. Not here: where the KEK comes from (`kek`),
replacing it (`rotation`), sealing (`sealing`), which day a fact belongs to (`ingestion/spool`,
`ingestion/lake/drain`) and when a day expires (`retention`). Destroying a day's key is what makes its
data gone, backups included, so keys never live in DuckDB, in logs, or beside the data in a backup.
Source: NIST SP 800-57 part 1 (key-wrapping keys, destruction).
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from privacy.disk.files import wipe, write_new
from privacy.disk.locks import locked
from privacy.keys import kek
from privacy.keys.sealing import KEY_BYTES, DataKey, KeyDestroyed, KeyProblem, seal, unseal

__all__ = [
    "KEY_BYTES",
    "DataKey",
    "KeyDestroyed",
    "KeyProblem",
    "KeyStore",
    "dataset_of",
    "seal",
    "unseal",
    "utc_today",
]
_CURRENT = "current"
_CHECKED = b"tta-monitor"
# What a home that was ever used holds at least one of: without its keys it must not be opened.
_DATA = ("spool.db", "state.db", "lake", "archive", "warehouse.duckdb", "published")


@dataclass(frozen=True)
class DatasetKeys:
    """The live keys of one dataset; `oldest` and `newest` are None for a long-lived key."""

    dataset: str
    count: int
    oldest: date | None
    newest: date | None


class KeyStore:
    """Data keys under `<home>/keys`, wrapped by the KEK; files are 0600, written atomically."""

    def __init__(self, folder: Path, source: kek.KekSource) -> None:
        self._folder = folder
        self._source = source
        self._keks = _as_keys(source)
        self._cache: dict[str, DataKey] = {}

    @classmethod
    def open(cls, home: Path, *, create: bool = False) -> "KeyStore":
        """Open the keys of a data home; `create` makes a fresh KEK in an empty home only.

        Raises KeyProblem when the KEK is missing or does not open the keys that exist.
        """
        folder = home / "keys"
        if create:
            home.mkdir(parents=True, exist_ok=True, mode=0o700)
        source = kek.find_source(folder)
        if not source.keks() and not create:
            _may_be_created(home, source, create=False)
        if source.keks() and (folder / "check").exists():
            store = cls(folder, source)
            store._verify(home)
            return store
        # Several processes may begin a home in the same moment: the others find what the first made.
        with locked(folder / "lock"):
            if not source.keks():
                _may_be_created(home, source, create=create)
                kek.create(source)
            store = cls(folder, source)
            store._verify(home)
        return store

    @property
    def source(self) -> str:
        """Where the KEK comes from, in words."""
        return self._source.name

    def named_key(self, name: str) -> DataKey:
        """A long-lived key that seals nothing a person could have typed, such as `digest`."""
        return self._get_or_create(name, _CURRENT)

    def data_key(self, dataset: str, day: date) -> DataKey:
        """The key of a dataset and UTC day, created on first use."""
        return self._get_or_create(dataset, day.isoformat())

    def existing_key(self, key_id: str) -> DataKey:
        """The key with this id.

        Raises KeyDestroyed when it was destroyed or never was, KeyProblem when it does not open.
        """
        if key_id in self._cache and self._path(key_id).exists():
            return self._cache[key_id]
        # A rotation may replace the KEK, the wrapped key, or both, between two reads.
        for _ in range(3):
            wrapped = self._wrapped(key_id)
            secret = self._unwrap(wrapped, key_id)
            if secret is not None:
                return self._remember(key_id, secret)
            self._keks = _as_keys(self._source)
        raise KeyProblem(
            f"key {key_id} does not open with the key of {self._source.name}: altered bytes, or the "
            f"file of another home. Restore {self._folder} from its own backup."
        )

    def days(self, dataset: str) -> list[date]:
        """Days for which the dataset has a key, oldest first."""
        files = (self._folder / "data" / dataset).glob("*.key")
        stems = (f.stem for f in files if not f.name.startswith("."))
        return sorted(date.fromisoformat(stem) for stem in stems if stem != _CURRENT)

    def ids(self) -> list[str]:
        """The ids of all live keys, in order."""
        data = self._folder / "data"
        files = (f for f in data.rglob("*.key") if not f.name.startswith("."))
        return sorted(str(f.relative_to(data).with_suffix("")) for f in files)

    def datasets(self) -> list[DatasetKeys]:
        """What `keys status` shows."""
        names = sorted({dataset_of(key_id) for key_id in self.ids()})
        found = []
        for name in names:
            days = self.days(name)
            is_long_lived = self._path(f"{name}/{_CURRENT}").exists()
            oldest, newest = (days[0], days[-1]) if days else (None, None)
            found.append(DatasetKeys(name, len(days) + is_long_lived, oldest, newest))
        return found

    def has_key(self, dataset: str, day: date) -> bool:
        """Whether the day's key lives."""
        return self._path(f"{dataset}/{day.isoformat()}").exists()

    def has_id(self, key_id: str) -> bool:
        """Whether the key with this id lives."""
        return self._path(key_id).exists()

    def destroy(self, dataset: str, day: date) -> bool:
        """Destroy a day's key; True when there was one. The data it sealed is gone with it."""
        return self.destroy_id(f"{dataset}/{day.isoformat()}")

    def destroy_id(self, key_id: str) -> bool:
        """Destroy the key with this id; True when there was one."""
        self._cache.pop(key_id, None)
        path = self._path(key_id)
        # Under the lock: a rotation that just read the file must not write it back.
        with self._locked():
            if not path.exists():
                return False
            wipe(path)
        return True

    def _verify(self, home: Path) -> None:
        """Open the check value, or write it first: a wrong KEK is found at start."""
        check = self._folder / "check"
        if not check.exists():
            if any((home / name).exists() for name in _DATA):
                raise KeyProblem(
                    f"{home} holds sealed data but {self._folder} is missing or empty. Restore the "
                    "keys/ folder of this home; to start afresh choose another --home."
                )
            write_new(check, seal(self._keks[0], _CHECKED, b"check"))
        for _ in range(3):
            if self._unwrap(check.read_bytes(), "check") is not None:
                return
            self._keks = _as_keys(self._source)
        raise KeyProblem(
            f"the key of {self._source.name} does not open {self._folder}: it is the key of another "
            "home. Point TTA_KEK_FILE, TTA_MONITOR_KEK, TTA_KEK_KEYRING or keys/kek at the right one."
        )

    def _get_or_create(self, dataset: str, period: str) -> DataKey:
        key_id = f"{dataset}/{period}"
        if key_id in self._cache:
            return self._cache[key_id]
        path = self._path(key_id)
        if not path.exists():
            # A new key comes about once a day and dataset: the moment to let go of destroyed ones.
            self._cache = {k: v for k, v in self._cache.items() if self._path(k).exists()}
            with self._locked():
                # The KEK may have been replaced meanwhile: only the present one may wrap.
                self._keks = _as_keys(self._source)
                secret = seal(self._keks[0], kek.fresh(), key_id.encode())
                write_new(path, secret)
        return self.existing_key(key_id)

    def _unwrap(self, wrapped: bytes, key_id: str) -> bytes | None:
        for candidate in self._keks:
            try:
                return unseal(candidate, wrapped, key_id.encode())
            except KeyProblem:
                continue
        return None

    def _wrapped(self, key_id: str) -> bytes:
        path = self._path(key_id)
        # Zeros alone: a rotation replaced the file after we opened it (look again), or the machine
        # stopped while the key was being destroyed.
        for _ in range(3):
            wrapped = path.read_bytes() if path.exists() else b""
            if wrapped.strip(b"\0"):
                return wrapped
        raise KeyDestroyed(
            f"key {key_id} does not exist: it expired and was destroyed, or {self._folder} "
            "is not the folder that belongs to this data."
        )

    def _remember(self, key_id: str, secret: bytes) -> DataKey:
        self._cache[key_id] = DataKey(key_id, secret)
        return self._cache[key_id]

    def _locked(self) -> AbstractContextManager[None]:
        return locked(self._folder / "lock")

    def _path(self, key_id: str) -> Path:
        return self._folder / "data" / f"{key_id}.key"


def dataset_of(key_id: str) -> str:
    """`lake.spans/2026-03-01` → `lake.spans`."""
    return key_id.rpartition("/")[0]


def utc_today() -> date:
    """Today in UTC: the day whose key seals what arrives now."""
    return datetime.now(UTC).date()


def _as_keys(source: kek.KekSource) -> list[DataKey]:
    keks = source.keks()
    if not keks:
        raise KeyProblem(f"{source.name} holds no key any more. Restore it.")
    return [DataKey("kek", secret) for secret in keks]


def _may_be_created(home: Path, source: kek.KekSource, *, create: bool) -> None:
    """Raise KeyProblem unless this home is new and may get a KEK."""
    if (home / "keys" / "check").exists() or any((home / name).exists() for name in _DATA):
        raise KeyProblem(
            f"{home} holds sealed data but its key is missing from {source.name}. Restore it, or set "
            "TTA_KEK_FILE; to start afresh choose another --home."
        )
    if not create:
        raise KeyProblem(
            f"no key in {source.name}, TTA_KEK_FILE or TTA_MONITOR_KEK: the data home cannot be "
            "opened. Run `./tta.sh monitor up` to create a home, or restore its keys/ folder."
        )
