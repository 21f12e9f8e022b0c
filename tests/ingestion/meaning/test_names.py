"""What dbt is told is what the live window reads."""

import json

import pytest

from ingestion.meaning.names import attributes, dbt_variables, names


def test_dbt_is_told_every_name_in_its_order() -> None:
    told = json.loads(dbt_variables())["meaning"]
    assert told["attributes"] == names()["attributes"]
    assert told["no_model_calls"] == names()["no_model_calls"]


def test_a_meaning_without_a_name_is_an_error() -> None:
    with pytest.raises(KeyError):
        attributes("colour")
