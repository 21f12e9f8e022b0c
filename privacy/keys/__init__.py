"""Keys and what is done with them: sealing, rotation, pseudonyms, files that only their owner reads.

Here: everything that holds or uses a key. Not here: how long data lives (`privacy/retention`), what is
sealed (whoever stores it).
"""
