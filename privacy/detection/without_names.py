"""A process that reads lines of logs alone does without the model of names, and without spaCy.

Here: keeping spaCy out, which Presidio imports with every recogniser of patterns (60 MB, with the model
that names are found with in messages). Not here: what stands for it
(`privacy/detection/vocabulary/absent`), proving the model, which a fork does for such a process
(`canary`).
"""

from privacy.detection.vocabulary.absent import Absent

_spacy = Absent("spacy", "thinc")


def without_names() -> None:
    """From now on this process finds no names in messages; call it before Presidio is imported."""
    _spacy.begin()


def with_names() -> None:
    """Undo it, in a process of its own; what Presidio has imported meanwhile uses none of it."""
    _spacy.end()


def has_names() -> bool:
    """Whether this process can find names in messages."""
    return not _spacy.is_active
