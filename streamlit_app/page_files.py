"""Where the file of each page lies: `views` has a room for each task.

Here: names and files. Not here: the navigation (`app`), who may open a page (`privacy/access`).
"""

from collections.abc import Mapping
from pathlib import Path

FILES: Mapping[str, Path] = {
    file.stem: file for file in sorted((Path(__file__).parent / "views").glob("*/[a-z]*.py"))
}
"""The file of each page, by the name that its address has."""
