"""The words of a PromQL expression, one after the other.

Here: cutting them, looking at the next and going past it. Not here: what they mean (`promql`). Source: the
lexer of Prometheus, `promql/parser/lex.go`.
"""

import re

_TOKEN = re.compile(
    r"(?:\s|#[^\n]*)*(?:(?P<number>0[xX][\da-fA-F]+|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?)"
    r"|(?P<name>[A-Za-z_:][\w:]*)"
    r"|(?P<string>\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]*`)|(?P<range>\[[^\]]*\])"
    r"|(?P<op>>=|<=|==|!=|=~|!~|[-+*/><=(){},%^@])|(?P<end>\Z))",
    re.ASCII,
)
# PromQL knows these in any case; names of functions, metrics and labels it does not.
_KEYWORDS = frozenset(
    """sum avg min max count stddev stdvar topk bottomk quantile count_values group by without offset
    bool and or unless on ignoring group_left group_right atan2""".split()
)


class Untranslatable(Exception):
    """The message is the reason, without text of the file beyond PromQL's own words."""


class Tokens:
    """One expression, read from left to right; raises Untranslatable for what is no PromQL."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        position = 0
        while True:
            match = _TOKEN.match(text, position)
            if not match:
                raise Untranslatable("the expression cannot be read")
            if match.lastgroup == "end":
                break
            kind, word = str(match.lastgroup), match[str(match.lastgroup)]
            self._tokens.append((kind, word))
            position = match.end()
        self._at = 0

    def takes(self, text: str) -> bool:
        """Go past the next token when it is this one."""
        if self.next()[1] == text or self.keyword() == text:
            self._at += 1
            return True
        return False

    def expect(self, text: str) -> None:
        """Go past this token; raises Untranslatable when it is another."""
        if not self.takes(text):
            raise Untranslatable(f"{text} is missing")

    def end(self) -> None:
        """Raise Untranslatable when anything is left."""
        if self._at < len(self._tokens):
            word = self.keyword() or self.next()[1]
            known = word in {"and", "or", "unless", "on", "ignoring", "group_left", "group_right"}
            raise Untranslatable(
                f"`{word}` between vectors" if known else "more than one comparison"
            )

    def keyword(self) -> str:
        """The next token as a keyword, empty when it is none."""
        kind, text = self.next()
        return text.lower() if kind == "name" and text.lower() in _KEYWORDS else ""

    def take(self, kind: str) -> str:
        """Go past the next token, which must be of this kind, and give its text."""
        found, text = self.next()
        if found != kind:
            raise Untranslatable("the expression cannot be read")
        self._at += 1
        return text

    def next(self) -> tuple[str, str]:
        """The next token, its kind and its text; kind `end` behind the last."""
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")
