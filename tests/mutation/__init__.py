"""Mutation tests: what the tests of the most important rooms notice when the code is wrong.

Here: which code is changed in which ways (`mutants`), which tests must notice (`targets`), running them
(`trial`, `__main__`), and the survivors that were looked at, each with its reason (`survivors.yaml`). Not
here: tests of their own; a survivor that can be told is killed by a test in its room.
"""
