"""What dbt gives templates by name, for `sqlfluff`: `make check` looks at SQL without dbt or a database.

Here: words that its own stand-ins for dbt lack. Not here: the rules (`pyproject.toml`), our macros
(`dbt/macros`, read as they are). Alone in its folder, because sqlfluff imports whatever lies beside it.
"""

import json
from datetime import UTC, datetime
from typing import Any

from ingestion.meaning.names import dbt_variables

run_started_at = datetime(2026, 1, 1, tzinfo=UTC)


def var(name: str) -> Any:
    """A variable, as `dagster_project` hands it to dbt. Raises KeyError for one that nobody hands over."""
    return json.loads(dbt_variables())[name]
