"""Our own small model for names in messages, as Presidio's `NlpEngine`: no download, ever.

Here: the pipeline (blank English tokenizer, one spaCy NER), loading the shipped weights, and an
installed `en_core_web_*` that may only add findings. Not here: making the weights (`train`,
`training_text`), which text goes through it (`redact`). Data, recall and limits: MODEL_CARD.md.
"""

import lzma
from functools import cache
from pathlib import Path
from typing import Any

import spacy
from presidio_analyzer.nlp_engine import NlpArtifacts
from spacy.language import Language

from privacy.detection.no_words import NoWords
from privacy.detection.vocabulary.lexicon import is_given_name, is_word, word_list
from privacy.detection.vocabulary.model_labels import TYPES, installed_models

WEIGHTS = Path(__file__).with_name("model") / "ner.bin.xz"
_WIDTH = 96
_SIZE = {"NORM": 3_000, "PREFIX": 500, "SUFFIX": 1_500, "SHAPE": 700}
# What the word lists know of a word, as features: the model generalises from them to other names.
_FLAGS = {
    "FLAG20": is_given_name,
    "FLAG21": lambda word: word in word_list("surnames"),
    "FLAG22": lambda word: word in word_list("places"),
    "FLAG23": is_word,
    "FLAG25": lambda word: word in word_list("english_given"),
}


class OwnNlpEngine(NoWords):
    """Presidio's view of the model; loading reads the package's own file and nothing else.

    English, for Presidio; the model saw German, Spanish, French and Portuguese too.
    """

    engine_name = "tta_monitor"

    def __init__(self) -> None:
        self._pipelines: list[Language] = []

    def load(self) -> None:
        """Load the shipped model, and an installed one beside it."""
        self._pipelines = [shipped_pipeline(), *(spacy.load(name) for name in installed_models())]

    def is_loaded(self) -> bool:
        """Whether `load` was called."""
        return bool(self._pipelines)

    def process_text(self, text: str, language: str) -> NlpArtifacts:
        """Entities of all pipelines over the tokens of our own."""
        docs = [pipeline(text) for pipeline in self._pipelines]
        entities = [span for doc in docs for span in doc.ents if span.label_ in TYPES]
        own = docs[0]
        return NlpArtifacts(
            entities=entities,
            tokens=own,
            tokens_indices=[token.idx for token in own],
            lemmas=[token.lower_ for token in own],
            nlp_engine=self,
            language="en",
            scores=[1.0] * len(entities),
        )

    def get_supported_entities(self) -> list[str]:
        """The labels that count as personal."""
        return sorted(TYPES)


def blank_pipeline() -> Language:
    """The untrained pipeline: tokenizer, features of the word lists, one NER."""
    nlp = spacy.blank("en")
    for name, knows in _FLAGS.items():
        nlp.vocab.add_flag(_on_lower(knows), spacy.attrs.IDS[name])
    flags = {name: 8 for name in _FLAGS}
    sizes = {**_SIZE, **flags}
    embed = {
        "@architectures": "spacy.MultiHashEmbed.v2", "width": _WIDTH, "attrs": list(sizes),
        "rows": list(sizes.values()), "include_static_vectors": False,
    }  # fmt: skip
    encode = {
        "@architectures": "spacy.MaxoutWindowEncoder.v2", "width": _WIDTH, "depth": 4,
        "window_size": 1, "maxout_pieces": 3,
    }  # fmt: skip
    model = {
        "@architectures": "spacy.TransitionBasedParser.v2", "state_type": "ner",
        "extra_state_tokens": False, "hidden_width": 64, "maxout_pieces": 2, "use_upper": True,
        "nO": None,
        "tok2vec": {"@architectures": "spacy.Tok2Vec.v2", "embed": embed, "encode": encode},
    }  # fmt: skip
    nlp.add_pipe("ner", config={"model": model})
    return nlp


@cache
def shipped_pipeline() -> Language:
    """The trained pipeline; raises FileNotFoundError when the package lost its weights."""
    nlp = blank_pipeline()
    nlp.get_pipe("ner").from_bytes(lzma.decompress(WEIGHTS.read_bytes()), exclude=["vocab"])
    return nlp


def _on_lower(knows: Any) -> Any:
    return lambda word: bool(knows(word.lower()))
