"""SQL that somebody typed, in pieces: what may be written as it is, and what the gate has to treat.

Not here: keeping it (`saved`). A whole statement given to the gate would lose its numbers and signs; words,
literals and long numbers are therefore treated one by one. Comments are free text and are left out.
"""

import re

Piece = str | tuple[str, str]
_PARTS = re.compile(
    r"(?P<comment>--[^\n]*|/\*.*?\*/)|(?P<text>'(?:[^']|'')*')|(?P<name>\"(?:[^\"]|\"\")*\")"
    r"|(?P<word>[^\W\d]\w*)|(?P<number>\d[\w.]*)|(?P<rest>.)",
    re.DOTALL,
)
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:?\d{2})?)?")
_MOST_DIGITS = 7
_TREATMENT = "service"


def pieces(sql: str) -> list[Piece]:
    """The statement in order: texts as they are, and (treatment, text) for what the gate treats."""
    found: list[Piece] = []
    for part in _PARTS.finditer(sql):
        kind, text = part.lastgroup, part[0]
        if kind == "comment":
            found.append(" ")
        elif kind in {"text", "name"} and not _MOMENT.fullmatch(text[1:-1]):
            found += [text[0], (_TREATMENT, text[1:-1]), text[-1]] if text[1:-1] else [text]
        elif kind == "word" or (kind == "number" and len(text) > _MOST_DIGITS):
            found.append((_TREATMENT, text))
        else:
            found.append(text)
    return found


def quoted(piece: str) -> str:
    """What the gate made of a literal, so that it ends no literal."""
    return piece.replace("'", "").replace('"', "")
