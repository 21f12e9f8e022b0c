"""Identifiers of ours as text: hexadecimal, and never digits alone.

Here: the form of ids that are shown, stored as text or sent. Not here: what an id is made of. Sixteen
digits without a letter may be somebody's card, and twelve a telephone: whoever looks for those, the leak
scan among them, cannot know better. With a letter in it no id can be taken for a number.
"""

import secrets


def id_text(hexadecimal: str) -> str:
    """The same; digits alone begin with a letter instead (one in 2,000 of 16 digits)."""
    return "a" + hexadecimal[1:] if hexadecimal.isdecimal() else hexadecimal


def new_id(size: int) -> str:
    """A random one of `size` bytes."""
    return id_text(secrets.token_hex(size))
