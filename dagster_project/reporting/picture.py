"""A chart as a picture, drawn in a process of its own that ends with it.

Here: from an Altair chart or a Vega-Lite description to PNG bytes, offline. Not here: what is drawn
(`charts`). The renderer is a JavaScript engine that keeps 150 MB; a process of the app or of the schedule
that drew once would keep them for good.
"""

import json
import subprocess
import sys
from typing import Any

from privacy.process_log.log import guard

_SECONDS = 60


class PictureProblem(Exception):
    """A chart was not drawn; the message says why."""


def png(
    description: dict[str, Any], *, width: int = 900, background: str = "#FFFFFF", scale: float = 2
) -> bytes:
    """The PNG of a Vega-Lite description, as wide as given in pixels. Raises PictureProblem."""
    config = {**description.get("config", {}), "background": background}
    sized = {**description, "config": config, "width": width}
    asked = json.dumps({"spec": sized, "scale": scale})
    try:
        done = subprocess.run(
            [sys.executable, "-m", __name__],
            input=asked.encode(),
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PictureProblem(
            f"the picture was not drawn ({type(error).__name__}): try again, or take CSV."
        ) from None
    if done.returncode:
        raise PictureProblem(
            f"the picture was not drawn (the renderer ended with {done.returncode}): take CSV instead."
        )
    return done.stdout


def _main() -> None:
    guard()
    import vl_convert  # noqa: PLC0415 - the process that asks never loads it

    asked = json.load(sys.stdin.buffer)
    drawn = vl_convert.vegalite_to_png(asked["spec"], scale=asked["scale"], allowed_base_urls=[])
    sys.stdout.buffer.write(drawn)


if __name__ == "__main__":
    _main()
