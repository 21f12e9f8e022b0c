"""Keys and what is done with them: sealing, rotation, pseudonyms, sealed records.

Here: everything that holds or uses a key. Not here: how long data lives (`privacy/retention`), what is
sealed (whoever stores it), how files are written (`privacy/disk`).
"""
