"""Whatever is sent through any door: nothing stops, nothing vanishes, a build afterwards ends."""

import os
from dataclasses import replace
from pathlib import Path
from random import Random
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from ingestion.collectors.log_files.lines import entries, to_record
from ingestion.collectors.prometheus.exposition import NotAnExposition, read_exposition
from ingestion.collectors.prometheus.exposition_otlp import ScrapeTime, to_otlp
from ingestion.collectors.prometheus.families import Exposition
from ingestion.collectors.prometheus.jobs import Target
from ingestion.collectors.prometheus.relabelling import read_rules
from ingestion.collectors.prometheus.scraped_samples import labelled
from ingestion.receivers.committing.landing import Counted
from ingestion.receivers.committing.new_values import NewValues
from ingestion.receivers.committing.pipeline import Incoming, Pipeline
from ingestion.receivers.decoding.flatten import Flat
from ingestion.receivers.decoding.protobuf import BadBody
from ingestion.receivers.doors import sentry, sentry_door, sentry_events
from live_tail.alerts.importing.importer import Untranslatable, import_file
from live_tail.alerts.rules.rule_files import RuleProblem, load_rules
from tests.fuzz import (
    doors,
    envelopes,
    expositions,
    log_texts,
    otlp,
    otlp_counts,
    otlp_json,
    rule_texts,
)
from tests.fuzz.campaign import Broken, Campaign, new_now_ns, seeds_of
from tests.fuzz.mutations import spoilt

INPUTS = int(os.environ.get("TTA_MONITOR_TEST_INPUTS", "5000"))
NOW_NS = 1_795_469_743_000_000_000
PLAIN = Target("shop", "shop:1", "http://shop:1/", 15, 5, {}, {})
DROPS = read_rules([{"source_labels": ["a"], "regex": "x.*", "action": "drop"}])
JOINS = read_rules([{"regex": "a|cpu|le", "action": "labeldrop"}])
TARGETS = (
    PLAIN,
    replace(PLAIN, honor_labels=True),
    replace(PLAIN, metric_rules=DROPS),
    replace(PLAIN, metric_rules=JOINS, honor_timestamps=False),
)
CHANCE = st.randoms(use_true_random=False)
_few = examples(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def silent(_: str) -> None:
    """Progress that nobody reads."""


@pytest.mark.slow
@pytest.mark.timeout(max(600, INPUTS // 5))
def test_thousands_of_inputs_through_all_doors_leave_everything_in_order(tmp_path: Path) -> None:
    told = Campaign(seed=11, folder=tmp_path, now_ns=new_now_ns(), tell=silent).run(range(INPUTS))
    assert told.inputs.total() == INPUTS
    assert set(told.inputs) == set(doors.SHARES)
    answers = {
        answer for answer in told.answers if answer.endswith((" 200", " OK", " up", " sent"))
    }
    assert len(answers) == 6, told.answers


def test_an_input_depends_on_seed_and_number_alone() -> None:
    seeds = seeds_of(NOW_NS)
    forwards = [doors.make(seeds, 3, number) for number in range(120)]
    backwards = [doors.make(seeds, 3, number) for number in reversed(range(120))]
    assert forwards == backwards[::-1]
    assert doors.make(seeds, 4, 7) != forwards[7]


def test_what_vanishes_is_found_and_the_smallest_input_that_shows_it_is_saved(
    tmp_path: Path,
) -> None:
    land = Counted.land

    def loses(
        self: Counted, signal: str, flat: Flat, owners: list[str | None], values: NewValues
    ) -> Flat:
        made = land(self, signal, flat, owners, values)
        is_last = [row == made.table.num_rows - 1 for row in range(made.table.num_rows)]
        if signal != "logs" or made.table.num_rows < 2:
            return made
        kept = made.without(is_last, "gone")
        return Flat(kept.table, kept.body_of_row, flat.rejections, flat.notes, flat.arrived)

    campaign = Campaign(seed=5, folder=tmp_path, now_ns=new_now_ns(), tell=silent)
    with (
        patch.object(Counted, "land", loses),
        pytest.raises(Broken, match="does not add up") as found,
    ):
        campaign.run(range(40))
    (saved,) = tmp_path.glob("broken-*.bin")
    assert str(saved) in str(found.value)
    assert "1 input(s)" in str(found.value)


def test_a_door_that_raises_is_named_with_the_input(tmp_path: Path) -> None:
    campaign = Campaign(seed=5, folder=tmp_path, now_ns=new_now_ns(), tell=silent)
    with (
        patch.object(sentry_door, "to_logs", side_effect=ZeroDivisionError),
        patch("tests.fuzz.campaign.run_build"),
        pytest.raises(Broken, match="sentry: ZeroDivisionError"),
    ):
        campaign.run(range(40))
    assert list(tmp_path.glob("broken-seed5-input*-sentry.bin"))


@pytest.mark.parametrize("signal", doors.SIGNALS)
@_few
@given(chance=CHANCE)
def test_every_item_that_otlp_can_say_is_accepted_or_rejected(
    pipeline: Pipeline, signal: str, chance: Random
) -> None:
    request = otlp.request(chance, signal, NOW_NS)
    count = otlp_counts.items_in(signal, request)
    as_json = otlp_json.as_json(request)
    assert otlp_counts.items_in_json(signal, as_json) == count
    assert otlp_counts.items_on_the_wire(signal, request.SerializeToString()) == count
    for answer in pipeline.process(
        [
            Incoming(signal, request.SerializeToString()),
            Incoming(signal, as_json, is_json=True),
        ]
    ):
        assert (answer.error, answer.accepted + answer.rejected) == ("", count)


def kept(read: Exposition) -> int:
    return sum(len(family.samples) for family in read.families)


@_few
@given(chance=CHANCE)
def test_every_line_of_an_exposition_is_a_sample_or_is_counted(chance: Random) -> None:
    body, content_type = expositions.exposition(chance)
    text = spoilt(chance, body, []).decode("utf-8", "surrogateescape")
    try:
        read = read_exposition(text, content_type)
    except NotAnExposition:
        return
    if read.is_json_quoted:
        return
    lines = [line for line in text.removeprefix("\ufeff").split("\n") if line.strip(" \t\r")]
    samples = sum(not line.startswith("#") for line in lines)
    assert samples == read.samples + sum(read.dropped.values())
    chosen = labelled(read, TARGETS[chance.randrange(len(TARGETS))])
    gone = sum(chosen.dropped.values()) - sum(read.dropped.values())
    assert kept(read) == kept(chosen) + gone
    assert all(metric.WhichOneof("data") for metric in to_otlp(chosen, ScrapeTime(NOW_NS, None)))


@_few
@given(chance=CHANCE)
def test_every_event_of_an_envelope_is_one_record(chance: Random) -> None:
    body = envelopes.envelope(chance, NOW_NS)
    try:
        read = sentry.read_envelope(spoilt(chance, body, []) if chance.random() < 0.5 else body)
    except BadBody:
        return
    request = otlp.REQUESTS["logs"].FromString(sentry_events.to_logs(read, None, "shop", "7"))
    assert otlp_counts.items_in("logs", request) == len(read.events)


@_few
@given(chance=CHANCE)
def test_every_byte_of_the_whole_lines_of_a_log_belongs_to_one_entry(chance: Random) -> None:
    data = spoilt(chance, log_texts.log_file(chance)[:20_000], [])
    found = list(entries(data, 7))
    places = [7, *(entry.end for entry in found)]
    assert [entry.start for entry in found] == places[:-1]
    assert places[-1] == 7 + data.rfind(b"\n") + 1
    for entry in found:
        to_record(entry.text, NOW_NS)


@_few
@given(chance=CHANCE)
def test_a_rule_file_is_read_or_refused_with_a_reason(tmp_path: Path, chance: Random) -> None:
    sound = rule_texts.sound()
    body = chance.choice((chance.choice(sound), rule_texts.rule_file(chance)))
    path = tmp_path / "rules.yaml"
    path.write_bytes(spoilt(chance, body, sound))
    try:
        found = import_file(path)
        assert all(reason for _, reason in (*found.refused, *found.lost))
    except Untranslatable as refused:
        assert "rules.yaml" in str(refused)
    try:
        load_rules([path])
    except RuleProblem as problem:
        assert all(mistake.startswith("rules.yaml: ") for mistake in problem.mistakes)


def test_the_capture_gives_seeds_of_every_signal() -> None:
    assert set(seeds_of(NOW_NS).captured) == set(doors.SIGNALS)
