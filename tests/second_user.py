"""Another user of this machine, who runs a line of Python; only root can be one."""

import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

_NAME = "nobody"
needs_root = pytest.mark.skipif(
    os.getuid() != 0, reason="only root can act as another user of this machine"
)


def as_second_user(code: str) -> str:
    """What the code prints and complains of, as somebody who owns nothing here."""
    who = pwd.getpwnam(_NAME)
    done = subprocess.run(
        [_python(), "-I", "-c", code],
        user=who.pw_uid, group=who.pw_gid, extra_groups=[], cwd="/", env={},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    return done.stdout + done.stderr


def _python() -> str:
    """An interpreter that everybody may run; that of the tests may lie in somebody's home."""
    system = Path("/usr/bin/python3")
    return str(system) if system.exists() else sys.executable
