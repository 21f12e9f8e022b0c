"""OTLP requests as JSON, and the tree of one spoilt at a place.

Here: the JSON form. Not here: requests (`otlp`), spoiling bytes (`mutations`).
"""

import base64
import json
import math
from copy import deepcopy
from random import Random
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

_ID_FIELDS = ("traceId", "spanId", "parentSpanId")


def as_json(made: Message) -> bytes:
    """The request in OTLP's JSON form: ids as hex."""
    return json.dumps(_hex_ids(MessageToDict(made))).encode()


def json_tree_spoilt(chance: Random, body: bytes) -> bytes:
    """One to three values of the tree replaced by what JSON allows and OTLP does not, or by oddities of it."""
    tree = json.loads(body)
    for _ in range(chance.choice((1, 1, 2, 3))):
        places = list(_places(tree))
        if not places:
            return body
        holder, key = chance.choice(places)
        holder[key] = deepcopy(chance.choice(_JSON_VALUES))
    # Python writes NaN, Infinity and halves of characters as senders do.
    return json.dumps(tree).encode()


def _hex_ids(node: Any) -> Any:
    if isinstance(node, list):
        return [_hex_ids(inner) for inner in node]
    if not isinstance(node, dict):
        return node
    return {
        key: base64.b64decode(inner).hex() if key in _ID_FIELDS else _hex_ids(inner)
        for key, inner in node.items()
    }


def _places(node: Any) -> Any:
    pairs = (
        node.items()
        if isinstance(node, dict)
        else enumerate(node)
        if isinstance(node, list)
        else ()
    )
    for key, inner in list(pairs):
        yield node, key
        yield from _places(inner)


_JSON_VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 2**64, 10**400, 1e308, math.nan, -math.inf, "", "x", "\ud83d", "9" * 30, "-5", [], {}, [[]],
    [None], {"x": None}, {"stringValue": "\udc00"}, {"arrayValue": {"values": [{"kvlistValue": {}}]}}, "NaN",
    {"intValue": "12a"}, {"doubleValue": "Infinity"}, "SPAN_KIND_SERVER", "253402300800000000000",
)  # fmt: skip
