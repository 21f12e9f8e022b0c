"""OTLP/JSON to the Arrow columns that protobuf becomes too.

Here: OTLP's messages as typed objects, their columns, and large bodies in pieces. Not here: limits
(`budget`), protobuf (`protobuf`, `wire`), and what an item is made of (`flatten`). Source: OTLP 1.x,
"JSON Protobuf Encoding".
"""
