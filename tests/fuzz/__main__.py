"""`python -m tests.fuzz 1000000`: so many inputs through all doors; see `campaign` for what must hold."""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.fuzz.campaign import CHAPTER, Broken, Campaign, new_now_ns


def main() -> int:
    """Exit code 1 when something broke; its inputs are saved and named."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("count", type=int, help="how many inputs")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument(
        "--from", type=int, default=0, dest="first", help="number of the first input"
    )
    parser.add_argument(
        "--now-ns", type=int, default=0, help="the time that inputs are about (default: now)"
    )
    parser.add_argument("--chapter", type=int, default=CHAPTER, help="inputs between two builds")
    parser.add_argument(
        "--folder", type=Path, help="where what breaks something is saved (default: a new one)"
    )
    given = parser.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp(prefix="tta-fuzz-"))
    folder.mkdir(parents=True, exist_ok=True)
    campaign = Campaign(
        given.seed, folder, given.now_ns or new_now_ns(), lambda text: print(text, flush=True)
    )
    print(f"seed {campaign.seed}, --now-ns {campaign.now_ns}, folder {folder}", flush=True)
    try:
        told = campaign.run(range(given.first, given.first + given.count), given.chapter)
    except Broken as broken:
        print(broken, file=sys.stderr)
        return 1
    print(f"memory grew by {told.peak_growth_bytes // 2**20} MiB at most")
    for name, counted in (
        ("inputs", told.inputs),
        ("answers", told.answers),
        ("items", told.arrived),
    ):
        print(name, ", ".join(f"{key}: {number}" for key, number in sorted(counted.items())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
