"""`python -m tta_monitor` is the command line."""

from ingestion.processes.lean import without_rarely_used

# A sixth of a start.
without_rarely_used()

from tta_monitor.cli import main  # noqa: E402 - after what it does without

if __name__ == "__main__":
    main()
