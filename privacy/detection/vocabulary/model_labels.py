"""What models call what they find, and which installed models may add to it.

Here: facts about models that cost nothing to import. Not here: the models (`ner`), which cost seconds.
"""

from importlib.util import find_spec

# Only these installed models are looked for, and never fetched.
_ADDITIONS = tuple(f"en_core_web_{size}" for size in ("sm", "md", "lg", "trf"))
TYPES = {
    "PERSON": "name", "LOCATION": "location", "ORG": "organisation", "ADDRESS": "address",
    "DATE": "date", "AGE": "age", "USERNAME": "username",
    "GPE": "location", "LOC": "location", "FAC": "location", "NORP": "group",
}  # fmt: skip
"""What the labels of a model are called in findings; other labels are not personal."""


def installed_models() -> tuple[str, ...]:
    """Larger English models that somebody installed, by name."""
    return tuple(name for name in _ADDITIONS if find_spec(name))
