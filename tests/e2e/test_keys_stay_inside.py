"""No key of a built home stands in any byte outside keys/: raw, hex or base64."""

import base64
from pathlib import Path

from dagster_project.marts.warehouse import DBT_PROJECT
from ingestion.settings import Settings
from privacy.keys import kek
from privacy.keys.key_store import KeyStore


def spellings(home: Path) -> set[bytes]:
    """Every key of a home in every form somebody might write it."""
    keys = KeyStore.open(home)
    secrets = [keys.existing_key(key_id).secret for key_id in keys.ids()]
    secrets += kek.find_source(home / "keys").keks()
    forms = [(s, s.hex().encode(), base64.b64encode(s).rstrip(b"=")) for s in secrets]
    return {form for some in forms for form in some}


def files_with(folders: list[Path], wanted: set[bytes]) -> list[str]:
    """Files outside keys/ that hold one of the texts."""
    files = (f for folder in folders for f in folder.rglob("*") if f.is_file())
    return [
        str(file)
        for file in files
        if file.parent.name != "keys" and "/keys/" not in str(file)
        for content in [file.read_bytes()]
        if any(text in content for text in wanted)
    ]


def test_keys_are_in_no_database_log_or_artefact(built: Settings) -> None:
    wanted = spellings(built.home)
    assert len(wanted) >= 3 * 10
    assert files_with([built.home, DBT_PROJECT / "target", DBT_PROJECT / "logs"], wanted) == []


def test_the_search_sees_a_key_in_each_form(built: Settings, tmp_path: Path) -> None:
    for number, text in enumerate(sorted(spellings(built.home))[:9]):
        (tmp_path / f"{number}.log").write_bytes(b"x" + text + b"y")
    assert len(files_with([tmp_path], spellings(built.home))) == 9
