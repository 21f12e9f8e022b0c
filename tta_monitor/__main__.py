"""`python -m tta_monitor` is the command line."""

from tta_monitor.cli import main

main()
