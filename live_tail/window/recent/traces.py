"""Where the spans and log records of a trace lie in the spool, for the last minutes.

Here: 12 bytes for each trace and batch, the newest within a bound, and those of chosen traces for as long as
the window reaches. Not here: reading the batches (`ingestion/spool`): rows of the live window stay in the
spool, sealed, for longer than it reaches, so no span lies in memory for the sake of a trace.
"""

import numpy as np
import pyarrow as pa

_ID_BYTES = 16
Found = tuple[np.ndarray, np.ndarray]


class Traces:
    """Traces by batch of the spool."""

    def __init__(self, max_entries: int) -> None:
        self._max_entries = max_entries
        self._chunks: list[Found] = []

    def __len__(self) -> int:
        return sum(len(ids) for ids, _ in self._chunks)

    @staticmethod
    def of(trace_ids: pa.Array, seqs: np.ndarray) -> Found | None:
        """Beginnings of trace ids and the batches they came in, each pair once; None for none."""
        ids, has_id = beginnings(trace_ids)
        if not has_id.all():
            ids, seqs = ids[has_id], seqs[has_id]
        if not len(ids):
            return None
        order = np.lexsort((ids, seqs))
        ids, seqs = ids[order], seqs[order]
        is_new = np.concatenate([[True], (ids[1:] != ids[:-1]) | (seqs[1:] != seqs[:-1])])
        return ids[is_new], seqs[is_new].astype(np.uint32)

    def add(self, found: Found | None) -> None:
        """Note what came."""
        if found is not None:
            self._chunks.append(found)

    def batches(self, trace_id: bytes) -> list[int]:
        """The seqs of the batches in which something of a trace may lie, in order."""
        wanted = np.uint64(int.from_bytes(trace_id[:8], "little"))
        found = [seqs[ids == wanted] for ids, seqs in self._chunks]
        return sorted({int(seq) for some in found for seq in some})

    def tidy(self, chosen: pa.Array) -> None:
        """One chunk of all; beyond the bound the oldest go, unless they are of a chosen trace."""
        if not self._chunks:
            return
        ids, seqs = (np.concatenate(parts) for parts in zip(*self._chunks, strict=True))
        surplus = len(ids) - self._max_entries
        if surplus > 0:
            keep = np.arange(len(ids)) >= surplus
            wanted, has_id = beginnings(chosen)
            keep[:surplus] = np.isin(ids[:surplus], wanted[has_id])
            # Chosen ones have a bound too: whatever is asked for, memory is not.
            if keep.sum() > 2 * self._max_entries:
                keep &= np.arange(len(ids)) >= surplus
            ids, seqs = ids[keep], seqs[keep]
        self._chunks = [(ids, seqs)]

    def clear(self) -> None:
        """Know of none."""
        self._chunks.clear()


def beginnings(trace_ids: pa.Array) -> Found:
    """The first 8 bytes of each id as a number, and which of them are whole ids."""
    if not len(trace_ids):
        return np.empty(0, np.uint64), np.empty(0, bool)
    has_id = trace_ids.is_valid().to_numpy(zero_copy_only=False)
    offsets = np.frombuffer(trace_ids.buffers()[1], np.int32)[trace_ids.offset :]
    offsets = offsets[: len(trace_ids) + 1]
    has_id &= np.diff(offsets) == _ID_BYTES
    ids = np.zeros(len(trace_ids), np.uint64)
    if has_id.any():
        content = np.frombuffer(trace_ids.buffers()[2], np.uint8)
        places = offsets[:-1][has_id].astype(np.int64)[:, None] + np.arange(8)
        ids[has_id] = content[places].reshape(-1).view(np.uint64)
    return ids, has_id
