"""Captured OTLP/JSON becomes protobuf, so that a replay can move its times.

Here: a whole body by protobuf's own JSON mapping, ids in hexadecimal as OTLP has them. Not here: what the
receivers make of JSON (`ingestion/receivers/decoding/otlp_json/json_bodies`). Source: OTLP 1.x specification.
"""

import base64
import binascii
import json
from typing import Any

from google.protobuf.json_format import ParseDict, ParseError

from ingestion.receivers.decoding.otlp_json.json_bodies import without_halves
from ingestion.receivers.decoding.protobuf import EXPORTS, NOT_JSON, BadBody

_ID_FIELDS = frozenset({"traceId", "spanId", "parentSpanId"})
_MAX_DEPTH = 64


def json_to_protobuf(signal: str, body: bytes) -> bytes:
    """OTLP/JSON as protobuf bytes; raises BadBody."""
    try:
        tree = json.loads(body)
        if not isinstance(tree, dict):
            raise BadBody("the JSON body must be an object")
        return _serialized(signal, _hex_to_base64(tree))
    except (
        ValueError,
        ParseError,
        binascii.Error,
        RecursionError,
        TypeError,
        AttributeError,
        OverflowError,
    ):
        raise BadBody(NOT_JSON) from None


def _serialized(signal: str, tree: Any) -> bytes:
    try:
        message = ParseDict(tree, EXPORTS[signal].request(), ignore_unknown_fields=True)
    except (ValueError, ParseError):
        # A limit on lengths cuts characters beyond the first 65,536 in two: `\ud83d` alone.
        whole = without_halves(tree)
        if whole == tree:
            raise
        message = ParseDict(whole, EXPORTS[signal].request(), ignore_unknown_fields=True)
    return message.SerializeToString()


def _hex_to_base64(node: Any, depth: int = 0) -> Any:
    """The JSON tree with hex ids as base64, which is what protobuf's JSON form expects."""
    if depth > _MAX_DEPTH:
        raise BadBody("the JSON body is nested too deeply")
    if isinstance(node, list):
        return [_hex_to_base64(item, depth + 1) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: base64.b64encode(bytes.fromhex(value)).decode()
        if key in _ID_FIELDS and isinstance(value, str)
        else _hex_to_base64(value, depth + 1)
        for key, value in node.items()
    }
