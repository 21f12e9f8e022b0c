"""The collectors process: `python -m ingestion.collectors [--home DIR]`."""

import sys

if __name__ == "__main__":
    sys.exit(0)
