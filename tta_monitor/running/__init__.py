"""Starting, watching and stopping the product's processes.

Here: supervision. Not here: what each process does, whether all is well (`tta_monitor/watching`).
"""
