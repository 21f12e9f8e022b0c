"""What a process may say about itself, in which words, and how often.

Here: the guard that every entry point calls first, the words that stay, repeats. Not here: logs of TTA
that arrive as telemetry (`privacy/gate`), where output goes (`tta_monitor/running`).
"""
