"""Texts of Prometheus rules into ours: what a Go template says with labels and the value.

Here: actions with one function or none, `printf`, the whole of `$labels`. Not here: expressions
(`importer`). A function that formats becomes what it formats. What decides or repeats (`if`, `range`,
`query`) has no counterpart: the text that holds it is left out with the reason.
"""

import re
from collections.abc import Mapping
from typing import Any

_ACTION = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}", re.DOTALL)
_TRIMMED = re.compile(r"\s*\{\{-\s|\s-\}\}\s*")
_TOKEN = re.compile(
    r"""\s*(?:(?P<string>"(?:[^"\\]|\\.)*"|`[^`]*`)|(?P<name>[$.]?[A-Za-z_][\w.]*|\$|\.)
    |(?P<number>-?\d[\d.]*)|(?P<mark>[|(),]|:?=))""",
    re.VERBOSE,
)
_LABEL = re.compile(r"(?:\$labels|\.Labels)\.([A-Za-z_]\w*)\Z")
_VERB = re.compile(r"%[-+# 0]*\d*(?:\.\d+)?([a-zA-Z%])")
_UNKNOWN = re.compile(
    r"\$|\.|(?:if|else|end|range|with|define|template|block|query|define|break|continue)\Z"
)
_STRINGS = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}


class NoText(Exception):
    """A template has no counterpart; the message is the reason."""


def text_of(template: str) -> str:
    """The same text with `{{ label }}`, `{{ value }}` and `{{ labels }}`; raises NoText."""
    tight = _TRIMMED.sub(lambda found: found[0].strip(), template)
    return _ACTION.sub(lambda found: _action(found[1]), tight)


def texts_of(given: Mapping[Any, Any], place: str, notes: list[str]) -> dict[str, str]:
    """The texts that have a counterpart, by name; `notes` gets a sentence for each of the others."""
    found: dict[str, str] = {}
    for name, text in given.items():
        try:
            found[str(name)] = text_of(str(text))
        except NoText as reason:
            notes.append(f"{place} {name} is left out: {reason}")
    return found


def _action(inner: str) -> str:
    if inner.startswith("/*"):
        return ""
    tokens = _tokens(inner)
    if not tokens:
        raise NoText("a template without a value")
    if [kind for kind, _ in tokens] == ["string"]:
        return tokens[0][1]
    values = _values(tokens)
    texts = [text for kind, text in tokens if kind == "string"]
    if any(text == "printf" for kind, text in tokens if kind == "name") and texts:
        return _printed(texts[0], values)
    if not values:
        raise NoText(
            f"`{tokens[0][1]}` has no counterpart"
            if tokens[0][1].isalpha()
            else "a template without a value"
        )
    return " ".join(f"{{{{ {value} }}}}" for value in values)


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    at = 0
    while at < len(text.rstrip()):
        match = _TOKEN.match(text, at)
        if not match:
            raise NoText("a template that cannot be read")
        kind = str(match.lastgroup)
        found.append((kind, _string(match[kind]) if kind == "string" else match[kind]))
        at = match.end()
    return found


def _string(quoted: str) -> str:
    if quoted.startswith("`"):
        return quoted[1:-1]
    return re.sub(r"\\(.)", lambda found: _STRINGS.get(found[1], found[0]), quoted[1:-1])


def _values(tokens: list[tuple[str, str]]) -> list[str]:
    """What the action shows, in order: names of labels, `value`, `labels`."""
    found: list[str] = []
    names = iter(enumerate(tokens))
    for place, (kind, text) in names:
        if kind == "mark" and text in {"=", ":="}:
            raise NoText("a variable of its own")
        if kind != "name":
            continue
        if label := _LABEL.match(text):
            found.append(label[1])
        elif text in {"$value", ".Value"}:
            found.append("value")
        elif text in {"$labels", ".Labels"}:
            after = tokens[place + 1] if place + 1 < len(tokens) else ("", "")
            is_index = place > 0 and tokens[place - 1] == ("name", "index")
            if is_index and after[0] == "string":
                # `index $labels "a.b"`: the name is no text of its own.
                found.append(after[1])
                tokens[place + 1] = ("label", after[1])
            else:
                found.append("labels")
        elif _UNKNOWN.match(text):
            raise NoText(f"`{text}` has no counterpart")
    return found


def _printed(pattern: str, values: list[str]) -> str:
    rest = iter(values)

    def fill(verb: re.Match[str]) -> str:
        if verb[1] == "%":
            return "%"
        value = next(rest, None)
        if value is None:
            raise NoText("printf of something that is no label or value")
        return f"{{{{ {value} }}}}"

    return _VERB.sub(fill, pattern)
