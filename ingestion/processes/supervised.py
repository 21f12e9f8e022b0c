"""A supervised process does not outlive its supervisor.

Here: asking the kernel for SIGTERM when the supervisor dies, however it dies. Not here: the supervisor
(`tta_monitor/running/supervise`). Otherwise processes would go on of which no command knows, on ports
that the next start needs. Linux has it (prctl(2), PR_SET_PDEATHSIG); elsewhere nothing happens.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
_BY_SUPERVISOR = "SUPERVISOR_ENABLED"
"""supervisord sets it in the processes that it starts."""


def end_with_supervisor() -> None:
    """End in order when the supervisor is gone; call it first. Nothing where nobody supervises."""
    if _BY_SUPERVISOR not in os.environ or sys.platform != "linux":
        return
    before = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    # It may have died in between.
    if os.getppid() != before:
        os.kill(os.getpid(), signal.SIGTERM)
