"""Messages without their values: what two occurrences of one error say alike.

Here: placeholders for what varies, after the gate's skeleton, whose masks are stable tokens. Order as
in Sentry's parameterisation (`reference/methods.md` 6): the specific before the general.
"""

import re

_PLACEHOLDERS: tuple[tuple[str, str], ...] = (
    ("mask", r"<[a-z_]+(?: \d+)?>"),
    ("email", r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    ("url", r"\b[a-z][a-z0-9+.-]*://[^\s\"'<>)\]]+"),
    ("ip", r"\b\d{1,3}(?:\.\d{1,3}){3}\b"),
    ("uuid", r"\b[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}\b"),
    ("date", r"\b\d{4}-\d\d-\d\d(?:[T ][\d:.,]+(?:Z|[+-]\d\d:?\d\d)?)?"),
    ("duration", r"\b\d+(?:\.\d+)?\s?(?:ns|us|µs|ms|s|sec|seconds?|min|minutes?|h|hours?)\b"),
    ("hex", r"\b0x[0-9a-fA-F]+\b|\b(?=[0-9a-fA-F]*\d)[0-9a-fA-F]{8,128}\b"),
    ("object", r"\bat 0x\w+"),
    ("number", r"(?<![A-Za-z_])[-+]?\d+(?:[.,:]\d+)*\b"),
    # A word with a digit in it is a name of something, not a word of the template.
    ("id", r"\b(?=\w*\d)\w+\b"),
)
_ANY = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _PLACEHOLDERS))
_VALUES = re.compile(r"<[a-z_]+>(?:[\s,;:.]*<[a-z_]+>)+")
_AFTER_EQUALS = re.compile(r"=\s*(?:'[^']*'|\"[^\"]*\"|true|false|None|null)", re.IGNORECASE)
_CUT = 400


def parameterise(message: str) -> str:
    """The message with every value as `<…>`; idempotent, whitespace collapsed."""
    text = " ".join(message.split())[: 4 * _CUT]
    text = _ANY.sub(_placeholder, text)
    text = _AFTER_EQUALS.sub("=<value>", text)
    # The gate types values (<number>, <id>, <digits>) by their look; the type may differ by value.
    text = re.sub(r"<[a-z_]+>", "<*>", text)
    return _VALUES.sub("<*>", re.sub(r"<\*>(?:[\s,;:.]*<\*>)+", "<*>", text))[:_CUT]


def _placeholder(match: re.Match[str]) -> str:
    return f"<{match.lastgroup}>"
