"""dbt's words stay inside: nothing printed, failures told by node and kind."""

from types import SimpleNamespace

import pytest

from dagster_project.marts.dbt_words import told, without_words

WORD = "eva.lindqvist"


def _result(name: str, status: str, message: str | None) -> SimpleNamespace:
    return SimpleNamespace(node=SimpleNamespace(unique_id=name), status=status, message=message)


def test_failures_are_told_by_node_and_kind() -> None:
    quoting = f"Runtime Error in model bad\n  Conversion Error: Could not convert '{WORD}'"
    results = [
        _result("model.tta_monitor.good", "success", "OK"),
        _result("exposure.tta_monitor.page", "no-op", None),
        _result("model.tta_monitor.bad", "error", quoting),
        _result("test.tta_monitor.t", "fail", None),
    ]
    assert told(results) == [
        "dbt model.tta_monitor.bad: error (Runtime, Conversion)",
        "dbt test.tta_monitor.t: fail",
    ]


def test_what_is_printed_inside_goes_nowhere(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="x"), without_words():
        print(WORD)
        raise ValueError("x")
    assert capsys.readouterr() == ("", "")
