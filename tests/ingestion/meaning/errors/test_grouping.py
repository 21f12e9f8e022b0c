"""The labelled pairs, and properties of grouping: no order, no time, no redaction changes a group.

`data/pairs.json` names two of `data/errors.json`, whether they are the same error, and why. The errors
called `real-…` are TTA's own, from the captured telemetry.
"""

import json
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion.meaning.errors.error_records import Occurrence
from ingestion.meaning.errors.grouping import RulesProblem, Site, WatchedSite, group, load_site
from ingestion.meaning.errors.stacks import parse_stack
from privacy.gate.treatments import scrub, stack

DATA = Path(__file__).with_name("data")
ERRORS = json.loads((DATA / "errors.json").read_text())
PAIRS = json.loads((DATA / "pairs.json").read_text())
AT = datetime(2026, 11, 23)


def occurrence(name: str, *, is_gated: bool = True, component: str = "api") -> Occurrence:
    error = ERRORS[name]
    message, trace = error["message"], error["stack"]
    if is_gated:
        message, trace = scrub(message), stack(trace)
    return Occurrence(AT, component, "log", error["type"], message, trace)


def key(name: str) -> str:
    return group(occurrence(name)).key


def test_of_the_labelled_pairs_hardly_one_is_merged_or_split_wrongly() -> None:
    same = [p for p in PAIRS if p[2]]
    different = [p for p in PAIRS if not p[2]]
    languages = {ERRORS[p[0]]["language"] for p in PAIRS}
    assert len(PAIRS) >= 300 and {"python", "javascript", "java"} <= languages
    split = [p for p in same if key(p[0]) != key(p[1])]
    merged = [p for p in different if key(p[0]) == key(p[1])]
    assert len(merged) <= 0.01 * len(different), merged
    assert len(split) <= 0.03 * len(same), split


def test_every_group_says_what_it_is_made_of() -> None:
    for name in ERRORS:
        grouped = group(occurrence(name))
        assert grouped.key.startswith("g1:") and len(grouped.key) == 35
        assert grouped.counted and grouped.title
        assert grouped.rule in grouped.explanation()


@settings(deadline=None, max_examples=15, suppress_health_check=list(HealthCheck))
@given(st.permutations(sorted(ERRORS)[:60]))
def test_the_order_of_arrival_and_a_replay_change_nothing(names: list[str]) -> None:
    once = {name: key(name) for name in sorted(names)}
    assert {name: key(name) for name in [*names, *names]} == once


def test_a_trace_that_passes_the_gate_again_is_the_same() -> None:
    for name, error in ERRORS.items():
        gated = stack(error["stack"])
        assert stack(gated) == gated, name
        assert group(occurrence(name)).key == group(
            Occurrence(AT, "b", "span_event", error["type"], scrub(scrub(error["message"])), stack(gated))
        ).key  # fmt: skip


@settings(deadline=None)
@given(st.text(max_size=400))
def test_any_text_is_read_without_an_exception(text: str) -> None:
    parse_stack(text, "X")
    assert group(Occurrence(AT, "a", "log", "", text, stack(text))).key


def test_an_explicit_fingerprint_wins_and_default_extends_it() -> None:
    from dataclasses import replace

    one = replace(occurrence("py-scene"), fingerprint=("checkout",))
    other = replace(occurrence("java-io"), fingerprint=("checkout",))
    assert group(one).key == group(other).key != key("py-scene")
    assert group(replace(one, fingerprint=("{{ default }}", "x"))).key != group(
        replace(other, fingerprint=("{{ default }}", "x"))
    ).key  # fmt: skip


def test_members_of_an_exception_group_may_come_in_any_order_and_number() -> None:
    def text(*types: str) -> str:
        head = (
            "  + Exception Group Traceback (most recent call last):\n"
            '  |   File "/srv/app/src/g/run.py", line 3, in run_all\n'
            "  | ExceptionGroup: many (2 sub-exceptions)\n"
        )
        members = "".join(
            f"  +-+---------------- {i} ----------------\n    | Traceback (most recent call last):\n"
            f'    |   File "/srv/app/src/g/{t.lower()}.py", line {i}, in work\n    | {t}: {i}\n'
            for i, t in enumerate(types, 1)
        )
        return head + members + "    +------------------------------------\n"

    def made(*types: str) -> str:
        return group(Occurrence(AT, "a", "log", "ExceptionGroup", "many", stack(text(*types)))).key

    assert made("ValueError", "TypeError") == made("TypeError", "ValueError", "TypeError")
    assert made("ValueError") != made("TypeError")


def test_site_rules_group_by_name_and_a_wrong_file_names_every_mistake(tmp_path: Path) -> None:
    file = tmp_path / "errors.yaml"
    file.write_text("rules:\n  - group: Neo4j is away\n    when: {type: 'neo4j.*'}\n")
    site = load_site(file)
    assert group(occurrence("py-neo4j"), site).title == "Neo4j is away"
    assert group(occurrence("py-redis"), site).key == key("py-redis")
    file.write_text("rules:\n  - group: x\n    when: {colour: red}\nnonsense: 1\n")
    with pytest.raises(RulesProblem, match=r"rule 1.*; unknown entry nonsense"):
        load_site(file)
    assert load_site(tmp_path / "none.yaml").rules == ()


def test_changed_site_rules_are_taken_and_wrong_ones_are_not(tmp_path: Path) -> None:
    file = tmp_path / "errors.yaml"
    site = WatchedSite(file, look_every_s=0)
    assert site() == Site()
    file.write_text("rules: [{group: timeouts, when: {type: TimeoutError}}]")
    assert [rule.name for rule in site().rules] == ["timeouts"]
    file.write_text("rules: [{group: other}]")
    assert [rule.name for rule in site().rules] == ["timeouts"]
    assert site.problem
    file.unlink()
    assert site() == Site() and site.problem == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rules: [", "not YAML, line"),
        ("- a", "must hold"),
        ("in_app: src", "in_app must be a list of texts"),
        ("not_in_app: [1]", "not_in_app must be a list of texts"),
        ("rules: 7", "rules must be a list"),
        ("rules: [{when: {}}]\n7: x", "rule 1 needs group and when; unknown entry 7"),
    ],
)
def test_a_file_that_is_wrong_from_the_start_is_told_and_stops_nothing(
    tmp_path: Path, text: str, words: str
) -> None:
    file = tmp_path / "errors.yaml"
    file.write_text(text)
    site = WatchedSite(file, look_every_s=0)
    assert words in site.problem and site() == Site()
    file.write_text("rules: [{group: timeouts, when: {type: TimeoutError}}]")
    assert site.problem == "" and len(site().rules) == 1
