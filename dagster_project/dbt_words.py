"""What dbt says about itself, without what it quotes of the data.

Here: silencing its output, telling which nodes failed by the kind of their error, and taking
messages out of `run_results.json`. Not here: running it (`defs/dbt_models`).
"""

import contextlib
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

_KIND = re.compile(r"\b([A-Z][A-Za-z]{2,30}) Error\b")
_RESULTS = "run_results.json"


@contextlib.contextmanager
def without_words(target: Path, tell: Callable[[str], None]) -> Iterator[None]:
    """Run dbt inside; its words go nowhere, and what failed is told as node, state and kind."""
    (target / _RESULTS).unlink(missing_ok=True)
    try:
        with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
            yield
    finally:
        for line in told(target / _RESULTS):
            tell(line)


def told(path: Path) -> list[str]:
    """One line per node that did not succeed; the file keeps no message afterwards."""
    if not path.exists():
        return []
    found: dict[str, Any] = json.loads(path.read_text())
    lines = []
    for result in found["results"]:
        if result["status"] not in {"success", "pass", "skipped", "no-op"}:
            kinds = list(dict.fromkeys(_KIND.findall(result.get("message") or "")))
            about = f" ({', '.join(kinds)})" if kinds else ""
            lines.append(f"dbt {result['unique_id']}: {result['status']}{about}")
        result["message"], result["adapter_response"] = None, {}
    path.write_text(json.dumps(found))
    return lines
