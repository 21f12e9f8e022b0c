"""Recognisers of personal words: formats, cue phrases and word lists, for chat and for logs."""
