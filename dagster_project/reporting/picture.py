"""A chart as a picture, drawn in a process of its own that ends with it.

Here: from an Altair chart or a Vega-Lite description to PNG bytes or SVG, offline, in the product's font. Not
here: what is drawn (`charts`). The renderer is a JavaScript engine that keeps 150 MB; a process of the app or
of the schedule that drew once would keep them for good.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from privacy.process_log.log import guard

FONTS = Path(__file__).with_name("fonts")
"""Inter as TrueType, cut from the app's own file: regular and semibold, Latin."""
_SECONDS = 60


class PictureProblem(Exception):
    """A chart was not drawn; the message says why."""


def png(
    description: dict[str, Any], *, width: int = 900, background: str = "#FFFFFF", scale: float = 2
) -> bytes:
    """The PNG of a Vega-Lite description, as wide as given in pixels. Raises PictureProblem."""
    return _drawn({"spec": _sized(description, width, background), "scale": scale})


def svgs(descriptions: Sequence[dict[str, Any]], *, width: int, background: str) -> list[str]:
    """The SVG of each description, as wide as given in pixels: the same input gives the same text.

    Raises PictureProblem.
    """
    if not descriptions:
        return []
    specs = [_sized(one, width, background) for one in descriptions]
    return json.loads(_drawn({"specs": specs}))


def _sized(description: dict[str, Any], width: int, background: str) -> dict[str, Any]:
    config = {**description.get("config", {}), "background": background}
    return {**description, "config": config, "width": width}


def _drawn(asked: dict[str, Any]) -> bytes:
    try:
        done = subprocess.run(
            [sys.executable, "-m", __name__],
            input=json.dumps(asked).encode(),
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

    vl_convert.register_font_directory(str(FONTS))
    asked = json.load(sys.stdin.buffer)
    if "specs" in asked:
        drawn = [vl_convert.vegalite_to_svg(s, allowed_base_urls=[]) for s in asked["specs"]]
        sys.stdout.buffer.write(json.dumps(drawn).encode())
        return
    drawn = vl_convert.vegalite_to_png(asked["spec"], scale=asked["scale"], allowed_base_urls=[])
    sys.stdout.buffer.write(drawn)


if __name__ == "__main__":
    _main()
