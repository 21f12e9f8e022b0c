"""What a process that waits most of the time does without.

Here: keeping pandas out. pyarrow and DuckDB load it by themselves wherever it is installed, which takes
half a second and 45 MB, to recognise frames that such a process never handles. Not here: which modules
a process imports of its own accord.
"""

import sys
from typing import Any


def without_pandas() -> None:
    """From now on pandas is as good as not installed; call it before pyarrow is used."""
    modules: dict[str, Any] = sys.modules
    modules.setdefault("pandas", None)
