"""Protobuf's wire format as far as lengths go: tags, varints, where a value ends, how many fields there are.

Here: single fields and messages as bytes. Not here: groups and items of an export (`wire`). Source:
protobuf.dev, "Encoding".
"""

from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from ingestion.receivers.decoding.protobuf import NOT_PROTOBUF, BadBody

_VARINT, _FIXED64, LENGTH_DELIMITED, _FIXED32 = 0, 1, 2, 5
_WHOLE = {FieldDescriptor.TYPE_DOUBLE: 8, FieldDescriptor.TYPE_FIXED64: 8}


def fields_in(body: bytes, start: int, end: int, message: Any, most: int, *, levels: int) -> int:
    """Fields in a message with all below it; stops soon after `most`, and counts depth as too much."""
    if levels < 0:
        return most + 1
    count, at = 0, start
    while at < end and count <= most:
        tag, at = varint_at(body, at, end)
        at, finish = value_at(body, tag & 7, at, end)
        field = message.fields_by_number.get(tag >> 3)
        count += 1
        if field is not None and tag & 7 == LENGTH_DELIMITED:
            if field.message_type is not None:
                count += fields_in(
                    body, at, finish, field.message_type, most - count, levels=levels - 1
                )
            elif field.type not in {FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES}:
                count += (finish - at) // _WHOLE.get(field.type, 1)
        at = finish
    return count


def field_of(number: int, value: bytes) -> bytes:
    """A field with a value of so many bytes: tag, length, value."""
    size, prefix = len(value), bytearray([number << 3 | LENGTH_DELIMITED])
    while size > 0x7F:
        prefix.append(size & 0x7F | 0x80)
        size >>= 7
    prefix.append(size)
    return bytes(prefix) + value


def varint_at(body: bytes, at: int, end: int) -> tuple[int, int]:
    """A number of at most 64 bits and where it ends; raises BadBody where none ends before `end`."""
    number, shift = 0, 0
    while at < end and shift < 64:
        byte = body[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
        shift += 7
    raise _no_protobuf()


def value_at(body: bytes, kind: int, at: int, end: int) -> tuple[int, int]:
    """Start and end of a value of this wire type; raises BadBody for one that does not end here."""
    if kind == LENGTH_DELIMITED:
        size, at = varint_at(body, at, end)
        finish = at + size
    elif kind == _VARINT:
        _, finish = varint_at(body, at, end)
    elif kind in {_FIXED32, _FIXED64}:
        finish = at + (4 if kind == _FIXED32 else 8)
    else:
        raise _no_protobuf()
    if finish > end:
        raise _no_protobuf()
    return at, finish


def _no_protobuf() -> BadBody:
    return BadBody(NOT_PROTOBUF)
