"""How the shipped model and word lists were made, so that they can be made again.

Here: what runs by hand, and its texts. Not here: anything that a process of the product imports.
"""
