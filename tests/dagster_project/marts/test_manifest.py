"""The parsed dbt project: one whole file in the home, whoever is first and whatever was there."""

import json
import shutil
import threading
from pathlib import Path

import pytest

from dagster_project.marts.manifest import (
    ManifestProblem,
    digest,
    ensure_manifest,
    manifest_path,
    read_manifest,
)
from dagster_project.marts.warehouse import DBT_PROJECT

_WHOLE = {
    key: {} for key in ("metadata", "sources", "macros", "parent_map", "child_map", "unit_tests")
}
_WHOLE["nodes"] = {"model.x": {}}


class Parser:
    """Stands for dbt: counts how often it was asked."""

    def __init__(self, folder: Path, content: str = json.dumps(_WHOLE)) -> None:
        self.folder, self.content, self.count = folder, content, 0

    def __call__(self, settings) -> Path:
        self.count += 1
        made = self.folder / "made.json"
        made.write_text(self.content)
        return made


def test_it_is_made_once_and_read_ever_after(settings, tmp_path) -> None:
    parser = Parser(tmp_path)
    assert ensure_manifest(settings, parser) == _WHOLE == ensure_manifest(settings, parser)
    assert parser.count == 1
    assert manifest_path(settings).is_relative_to(settings.home)


@pytest.mark.parametrize(
    "content", ["", "{", json.dumps(_WHOLE) + '"tail"}', "[]", '{"nodes": {}}']
)
def test_a_torn_or_foreign_file_is_made_anew(settings, tmp_path, content: str) -> None:
    path = manifest_path(settings)
    path.parent.mkdir(parents=True)
    path.write_text(content)
    assert read_manifest(path) is None
    assert ensure_manifest(settings, Parser(tmp_path)) == _WHOLE
    assert read_manifest(path) == _WHOLE


def test_of_several_that_begin_at_once_one_parses_and_all_get_it(settings, tmp_path) -> None:
    parser, found = Parser(tmp_path), []
    threads = [
        threading.Thread(target=lambda: found.append(ensure_manifest(settings, parser)))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [_WHOLE] * 6
    assert parser.count == 1


def test_what_dbt_left_unreadable_is_not_kept(settings, tmp_path) -> None:
    with pytest.raises(ManifestProblem):
        ensure_manifest(settings, Parser(tmp_path, content="{"))
    assert not manifest_path(settings).exists()


def test_the_digest_follows_contents_and_names_and_no_times(tmp_path) -> None:
    project = tmp_path / "dbt"
    shutil.copytree(DBT_PROJECT, project, ignore=shutil.ignore_patterns("target", "logs"))
    before = digest(project)
    model = next(project.rglob("*.sql"))
    model.touch()
    (project / "target").mkdir()
    (project / "target" / "manifest.json").write_text("{}")
    assert digest(project) == before
    model.write_text(model.read_text() + "\n")
    assert digest(project) != before


def test_the_manifest_of_earlier_sources_goes(settings, tmp_path) -> None:
    other = manifest_path(settings).with_name("older.json")
    other.parent.mkdir(parents=True)
    other.write_text("{}")
    ensure_manifest(settings, Parser(tmp_path))
    assert not other.exists()
