"""Presidio's engine of words for patterns, which ask for none.

Here: an engine that loads nothing. Not here: names, which need words (`ner`), recognisers (`engines`).
"""

from collections.abc import Iterable, Iterator
from typing import Any

from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine


class NoWords(NlpEngine):
    """Presidio's `NoOpNlpEngine` without spaCy's empty document: patterns ask for no words, and the
    enhancer that asks for stop words is used by nobody.
    """

    engine_name = "tta_monitor_patterns"
    is_available = True

    def load(self) -> None:
        """There is nothing to load."""

    def is_loaded(self) -> bool:
        """It always is."""
        return True

    def process_text(self, text: str, language: str) -> NlpArtifacts:
        """No words, no entities."""
        nothing: Any = []
        return NlpArtifacts(nothing, nothing, [], [], self, language)

    def process_batch(
        self, texts: Iterable[Any], language: str, batch_size: int = 1, n_process: int = 1, **_: Any
    ) -> Iterator[tuple[Any, NlpArtifacts]]:
        """One text after the other."""
        for text in texts:
            yield text, self.process_text(str(text), language)

    def is_stopword(self, word: str, language: str) -> bool:
        """The context enhancer is not used."""
        return False

    def is_punct(self, word: str, language: str) -> bool:
        """The context enhancer is not used."""
        return False

    def get_supported_entities(self) -> list[str]:
        """None by itself."""
        return []

    def get_supported_languages(self) -> list[str]:
        """English, for Presidio."""
        return ["en"]
