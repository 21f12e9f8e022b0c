"""What the home's processes share: how they begin, their supervisor, their memory, the record of passes.

Here: code that any of them uses. Not here: which processes there are (`tta_monitor/running`).
"""
