"""`privacy redact`: JSON lines in and out, bad lines named and the others done."""

import json

import pytest
from typer.testing import CliRunner

from tta_monitor.cli import app


def _run(lines: str) -> tuple[int, list[dict], list[dict]]:
    result = CliRunner().invoke(app, ["privacy", "redact"], input=lines)
    return (
        result.exit_code,
        [json.loads(line) for line in result.stdout.splitlines()],
        [json.loads(line) for line in result.stderr.splitlines()],
    )


def test_a_line_comes_back_redacted_with_spans() -> None:
    text = "mail siobhan@example.org"
    code, (answer,), errors = _run(json.dumps({"text": text, "kind": "log"}) + "\n")
    assert (code, errors) == (0, [])
    assert answer["redacted"] == "mail <email>"
    (span,) = answer["spans"]
    assert text[span["start"] : span["end"]] == "siobhan@example.org"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("nonsense", "not JSON"),
        ("[]", "no text"),
        ('{"text": 5, "kind": "chat"}', "no text"),
        ('{"text": "x", "kind": "poem"}', "chat, log"),
        ('{"text": "\\ud800", "kind": "chat"}', "surrogate"),
    ],
)
def test_a_bad_line_is_named_and_the_next_one_is_done(line: str, problem: str) -> None:
    code, answers, (error,) = _run(line + '\n{"text": "ok", "kind": "chat"}\n')
    assert code == 1
    assert error["line"] == 1
    assert problem in error["error"]
    assert answers == [{"redacted": "ok", "spans": []}]
