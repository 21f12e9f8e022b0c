"""What a release is once it exists: tables to publish, a receipt, canonical bytes.

Here: the shape of a released table and its digest. Not here: how it comes about (`release_gate`) or where it
is kept (`release_ledger`).
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa

from privacy.release.cells import Cell
from privacy.release.statistics import Figure


@dataclass(frozen=True)
class Receipt:
    """The ledger's line about one release; safe to show to anybody."""

    mart: str
    period: str
    mechanism: str
    epsilon: float | None
    contribution_bound: int
    keep: str
    spec_digest: str
    result_digest: str
    released_at: str
    entry_digest: str


@dataclass(frozen=True)
class Result:
    """Everything that is published about one mart and period, and nothing else."""

    mart: str
    period: str
    dimensions: tuple[str, ...]
    limits: str
    cells: tuple[Cell, ...]
    figures: tuple[Figure, ...]

    def record(self) -> dict[str, Any]:
        """As JSON values; what is sealed in the ledger."""
        return json.loads(json.dumps(asdict(self)))

    @classmethod
    def of_record(cls, record: dict[str, Any]) -> "Result":
        """The result that `record` came from."""
        return cls(
            mart=record["mart"],
            period=record["period"],
            dimensions=tuple(record["dimensions"]),
            limits=record["limits"],
            cells=tuple(Cell(**cell) for cell in record["cells"]),
            figures=tuple(Figure(**figure) for figure in record["figures"]),
        )

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON, in hex."""
        text = json.dumps(self.record(), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Released:
    """A published result with its receipt; the same for every reader and at any time."""

    result: Result
    receipt: Receipt

    @property
    def counts(self) -> pa.Table:
        """`mart period level <dimensions> count low high reason suppressed_cells`.

        A dimension is null on the lines of a margin that it is summed over; `count` is null with a
        `reason` where it is not shown. The schema's metadata holds `limits` and `receipt`.
        """
        lines = [
            {**self._head(), "level": c.level, **self._where(c.where), "count": c.count}
            | {"low": c.low, "high": c.high, "reason": c.reason}
            | {"suppressed_cells": c.suppressed_cells}
            for c in self.result.cells
        ]
        numbers = ("count", "low", "high", "suppressed_cells")
        fields = [("level", pa.string()), *self._fields(), *((n, pa.int64()) for n in numbers[:3])]
        return self._table(lines, [*fields, ("reason", pa.string()), (numbers[3], pa.int64())])

    @property
    def statistics(self) -> pa.Table:
        """`mart period statistic about <dimensions> value low high method reason`."""
        lines = [
            {**self._head(), "statistic": f.statistic, "about": f.about, **self._where(f.where)}
            | {"value": f.value, "low": f.low, "high": f.high}
            | {"method": f.method, "reason": f.reason}
            for f in self.result.figures
        ]
        fields = [("statistic", pa.string()), ("about", pa.string()), *self._fields()]
        fields += [(name, pa.float64()) for name in ("value", "low", "high")]
        return self._table(lines, [*fields, ("method", pa.string()), ("reason", pa.string())])

    def _head(self) -> dict[str, str]:
        return {"mart": self.result.mart, "period": self.result.period}

    def _where(self, where: dict[str, str]) -> dict[str, str | None]:
        return {name: where.get(name) for name in self.result.dimensions}

    def _fields(self) -> list[tuple[str, pa.DataType]]:
        return [(name, pa.string()) for name in self.result.dimensions]

    def _table(
        self, lines: list[dict[str, Any]], fields: list[tuple[str, pa.DataType]]
    ) -> pa.Table:
        head = [("mart", pa.string()), ("period", pa.string())]
        metadata = {"limits": self.result.limits, "receipt": json.dumps(asdict(self.receipt))}
        return pa.Table.from_pylist(lines, pa.schema([*head, *fields], metadata=metadata))
