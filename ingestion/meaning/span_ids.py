"""Ids of spans as text.

Here: SQL for both speeds. A hexadecimal id that consists of digits would be taken for a card's number by who
looks for such: it begins with a letter instead. Not here: ids of our own (`privacy/keys/ids`).
"""


def id_sql(hexadecimal: str) -> str:
    """DuckDB's SQL for an id: as it is, or with `a` for its first digit where it has nothing but digits."""
    only_digits = f"translate({hexadecimal}, '0123456789', '') = ''"
    return f"CASE WHEN {only_digits} THEN 'a' || substr({hexadecimal}, 2) ELSE {hexadecimal} END"
