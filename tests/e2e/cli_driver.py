"""Many commands of the command line in one process: JSON lists of arguments in, all output out."""

import json
import sys

from tta_monitor.cli import main


def run() -> None:
    """One command a line of standard input; a crash is told by the process's own hook."""
    for line in sys.stdin.read().splitlines():
        sys.argv = ["tta-monitor", *json.loads(line)]
        try:
            main()
        except SystemExit:
            pass
        except BaseException:  # noqa: BLE001 - what Python does with an uncaught one
            sys.excepthook(*sys.exc_info())
        sys.stdout.flush()


if __name__ == "__main__":
    # Each command reads an empty input of its own.
    lines = sys.stdin.read()
    import io

    sys.stdin = io.StringIO(lines)
    run()
