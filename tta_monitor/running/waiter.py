"""Waits in the place of `up` until the supervisor ends: the standard library alone, 10 MB.

Run as a file, by `up` in its own place: `waiter.py PID COMMAND…`. PID is a child of this process;
on Ctrl-C the command, which stops everything, takes its place in turn.
"""

import os
import signal
import sys


def main(pid: int, stop: list[str]) -> int:
    """The exit code of `up`: 0 when the supervisor ended, else what stopping says."""
    try:
        # `up` blocked it: a Ctrl-C meanwhile is not lost.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        os.waitpid(pid, 0)
    except KeyboardInterrupt:
        sys.stdout.write("stopping …\n")
        sys.stdout.flush()
        os.execv(stop[0], stop)  # noqa: S606
    except ChildProcessError:
        return 0
    return 0


sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
