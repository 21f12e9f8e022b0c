"""The model that ships: its invented text, its recall on other sentences and names, what it may cost."""

import pytest

from privacy.detection import ner
from privacy.detection.ner import OwnNlpEngine, blank_pipeline, shipped_pipeline
from privacy.detection.training import train
from privacy.detection.training.train import measure, wilson
from privacy.detection.training.training_text import LABELS, examples


@pytest.fixture(scope="module")
def held_out() -> list:
    return list(examples("held_out", 800, 11))


def test_the_same_seed_gives_the_same_messages_and_another_seed_others() -> None:
    assert list(examples("train", 50, 1)) == list(examples("train", 50, 1))
    assert list(examples("train", 50, 1)) != list(examples("train", 50, 2))


def test_labelled_stretches_lie_in_the_text_and_apart() -> None:
    for message in examples("train", 500, 3):
        at = 0
        for start, end, label in message.spans:
            assert at <= start < end <= len(message.text)
            assert label in LABELS
            at = end


def test_train_and_held_out_share_no_name_of_a_person() -> None:
    def names(split: str) -> set[str]:
        return {
            m.text[a:b].lower()
            for m in examples(split, 1_500, 5)
            for a, b, label in m.spans
            if label == "PERSON" and b - a > 4
        }

    assert names("train").isdisjoint(names("held_out"))


def test_the_shipped_weights_keep_what_the_card_promises(held_out: list) -> None:
    found, spans, neutral, masked = measure(shipped_pipeline(), held_out)
    low, high = wilson(sum(found.values()), sum(spans.values()))
    assert low > 0.86, f"[{low:.3f}, {high:.3f}]"
    assert found["PERSON"] / spans["PERSON"] > 0.87
    assert masked / neutral < 0.04


def test_an_untrained_pipeline_would_not_pass(held_out: list) -> None:
    nlp = blank_pipeline()
    for label in LABELS:
        nlp.get_pipe("ner").add_label(label)
    nlp.initialize()
    found, spans, *_ = measure(nlp, held_out[:100])
    assert sum(found.values()) / sum(spans.values()) < 0.7


def test_the_weights_are_small_enough_to_ship() -> None:
    assert ner.WEIGHTS.stat().st_size < 6_000_000


def test_an_installed_model_only_adds(monkeypatch: pytest.MonkeyPatch) -> None:
    import spacy

    text = "i told siobhan about the Zorblax"
    alone = OwnNlpEngine()
    alone.load()
    before = {str(e) for e in alone.process_text(text, "en").entities}
    extra = spacy.blank("en")
    extra.add_pipe("entity_ruler").add_patterns([{"label": "ORG", "pattern": "Zorblax"}])
    monkeypatch.setattr(ner, "installed_models", lambda: ("en_core_web_sm",))
    monkeypatch.setattr(ner.spacy, "load", lambda name: extra)
    both = OwnNlpEngine()
    both.load()
    assert before | {"Zorblax"} == {str(e) for e in both.process_text(text, "en").entities}


def test_lost_weights_are_named_by_their_file(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setattr(ner, "WEIGHTS", tmp_path / "ner.bin.xz")
    with pytest.raises(FileNotFoundError, match=r"ner\.bin\.xz"):
        ner.shipped_pipeline.__wrapped__()


def test_training_twice_gives_the_same_weights_and_prints_the_table_of_the_card(
    monkeypatch: pytest.MonkeyPatch, tmp_path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(train, "_MESSAGES", 64)
    monkeypatch.setattr(train, "_HELD_OUT", 60)
    made = []
    for name in ("first", "second"):
        monkeypatch.setattr(train, "WEIGHTS", tmp_path / name / "ner.bin.xz")
        train.main()
        made.append((tmp_path / name / "ner.bin.xz").read_bytes())
    assert made[0] == made[1]
    assert "| PERSON |" in capsys.readouterr().out
