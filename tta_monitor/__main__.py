"""`python -m tta_monitor` is the command line."""

from ingestion.processes.lean import import_later

# Libraries name them when they are loaded, and most commands ask nothing of them: a sixth of a start.
import_later("bz2", "gzip", "importlib.metadata", "lzma", "ssl", "zipfile")

from tta_monitor.cli import main  # noqa: E402 - after what it does without

if __name__ == "__main__":
    main()
