"""dbt's words stay inside: nothing printed, failures told by node and kind, no message in a file."""

import json
from pathlib import Path

import pytest

from dagster_project.dbt_words import without_words

WORD = "eva.lindqvist"


def _results(target: Path) -> None:
    results = [
        {"unique_id": "model.tta_monitor.good", "status": "success", "message": "OK"},
        {
            "unique_id": "model.tta_monitor.bad",
            "status": "error",
            "message": f"Runtime Error in model bad\n  Conversion Error: Could not convert '{WORD}'",
        },
        {"unique_id": "test.tta_monitor.t", "status": "fail", "message": None},
    ]
    (target / "run_results.json").write_text(json.dumps({"results": results}))


def test_failures_are_told_by_node_and_kind_and_leave_no_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said: list[str] = []
    with pytest.raises(ValueError, match="x"), without_words(tmp_path, said.append):
        print(WORD)
        _results(tmp_path)
        raise ValueError("x")
    assert said == [
        "dbt model.tta_monitor.bad: error (Runtime, Conversion)",
        "dbt test.tta_monitor.t: fail",
    ]
    assert WORD not in (tmp_path / "run_results.json").read_text()
    assert capsys.readouterr() == ("", "")


def test_an_earlier_run_is_not_told_again(tmp_path: Path) -> None:
    _results(tmp_path)
    said: list[str] = []
    with without_words(tmp_path, said.append):
        pass
    assert said == []
