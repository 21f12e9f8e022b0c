"""The commands of `./tta.sh monitor`: each group of verbs a module, loaded when it is asked for.

Here: arguments, printing and exit codes; each module has its commands in `commands`. Not here: what they do,
which lives in the package that owns it, and which module has which (`tta_monitor/cli`).
"""
