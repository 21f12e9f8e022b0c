"""What all commands share: arguments of a home, who asks, problems told with their fix.

Here: nothing that belongs to one command. Not here: the commands (`tta_monitor/commands`).
"""
