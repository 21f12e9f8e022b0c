"""Random and mutated inputs through every door of the product, then through every stage behind it.

Here: what is sent (`otlp`, `expositions`, `envelopes`, `log_texts`, `rule_texts`, spoilt by `mutations`), the
product in one process (`product`), one input of each kind through its door (`doors`), and campaigns over
many with what must hold afterwards (`campaign`). `python -m tests.fuzz N` runs one, `test_fuzz` a short one.
Every input depends on a seed and its number alone, so that each can be made again.
"""
