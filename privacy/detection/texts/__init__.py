"""Kinds of text and what their words say: chats, log lines, records, forms, speech, states of a person.

Here: recognisers that read words in their place. Not here: values known by form alone
(`privacy/detection/shapes`), choosing among all of them (`privacy/detection/redact`).
"""
