"""What attributes and values of telemetry are called, whoever sent it.

Here: reading `names.yaml`, and handing it to dbt. Not here: what is made of them
(`live_tail/window/rows/span_facts` in Arrow, `dbt/models` in SQL), names of dependencies and probes
(`signals`). Source: OpenTelemetry semantic conventions, of now and of before.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ingestion.meaning.histograms import bucket_sql, milliseconds_sql
from ingestion.meaning.log_patterns import LONGEST_BODY, key_sql, severity_sql
from ingestion.meaning.span_ids import id_sql
from ingestion.meaning.without_people import events_without_people_sql, without_people_sql

FILE = Path(__file__).with_name("names.yaml")


@cache
def names() -> dict[str, Any]:
    """The content of `names.yaml`."""
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))


def attributes(meaning: str) -> tuple[str, ...]:
    """The attributes that can say it, the one that counts first. Raises KeyError for what has no name."""
    return tuple(names()["attributes"][meaning])


def dbt_variables() -> str:
    """What dbt is told as `--vars`, JSON: `meaning`, with the names and expressions in SQL."""
    histogram = {"bucket": bucket_sql("MS"), "milliseconds": milliseconds_sql("BUCKET")}
    of_text = {
        "id": id_sql("HEXADECIMAL"),
        "severity": severity_sql("NUMBER"),
        "pattern_key": key_sql("PATTERN"),
        "body_characters": LONGEST_BODY,
    }
    of_people = {
        "attributes_without_people": without_people_sql("attributes"),
        "events_without_people": events_without_people_sql("events"),
    }
    meaning = {**names(), **of_text, **of_people, "histogram": histogram}
    return json.dumps({"meaning": meaning}, sort_keys=True)
