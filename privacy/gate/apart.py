"""Treatments in a process of their own that ends with them.

Here: asking it, and what it does. Not here: the treatments. For processes that treat a text now and then,
as the app does when somebody names a view: recognisers take 100 MB that would stay for good.
"""

import json
import subprocess
import sys
from collections.abc import Sequence

_TREATMENTS = ("scrub", "service")
_SECONDS = 120


class NotTreated(ValueError):
    """No text was treated; the message says why. Nothing may be written."""


def treated(texts: Sequence[tuple[str, str]]) -> list[str]:
    """Each (treatment, text) as the gate would keep it. Raises NotTreated."""
    if not texts:
        return []
    try:
        done = subprocess.run(
            [sys.executable, "-m", __name__],
            input=json.dumps(list(texts)).encode(),
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotTreated(f"the gate did not answer ({type(error).__name__}): try again.") from None
    if done.returncode:
        raise NotTreated(f"the gate ended with {done.returncode}: see `./tta.sh monitor doctor`.")
    return json.loads(done.stdout)


def _main() -> None:
    from privacy.gate import treatments  # noqa: PLC0415 - whoever asks never loads them

    known = {name: getattr(treatments, name) for name in _TREATMENTS}
    asked = json.load(sys.stdin.buffer)
    sys.stdout.write(json.dumps([known[name](text) for name, text in asked]))


if __name__ == "__main__":
    _main()
