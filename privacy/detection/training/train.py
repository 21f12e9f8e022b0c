"""`python -m privacy.detection.training.train`: makes `model/ner.bin.xz` and prints the numbers of its card.

Here: training on generated text with a fixed seed and measuring on the held-out grammar. Not here:
the text (`training_text`), the pipeline (`ner`). Nothing of this runs in the product. One process,
about five minutes of one core; the same versions on the same kind of machine give the same weights.
"""

import lzma
import math
import sys
from collections import Counter

from spacy.language import Language
from spacy.training import Example as SpacyExample
from spacy.util import minibatch
from thinc.api import fix_random_seed

from privacy.detection.ner import WEIGHTS, blank_pipeline
from privacy.detection.training.training_text import LABELS, Example, examples

SEED = 20_260_301
_MESSAGES = 40_000
_HELD_OUT = 4_000
_BATCH = 32
_DROPOUT = 0.25
_LEARN_RATE = 0.002


def main() -> None:
    """Train, write the weights, print recall on the held-out split."""
    fix_random_seed(SEED)
    nlp = blank_pipeline()
    ner = nlp.get_pipe("ner")
    for label in LABELS:
        ner.add_label(label)
    first = [_spacy_example(nlp, e) for e in examples("train", 200, SEED + 1)]
    optimizer = nlp.initialize(lambda: first)
    batches = list(minibatch(examples("train", _MESSAGES, SEED), _BATCH))
    for step, batch in enumerate(batches):
        optimizer.learn_rate = _LEARN_RATE * (1 - 0.95 * step / len(batches))
        nlp.update([_spacy_example(nlp, e) for e in batch], sgd=optimizer, drop=_DROPOUT, losses={})
        if step % 100 == 0:
            sys.stdout.write(f"step {step} of {len(batches)}\n")
            sys.stdout.flush()
    WEIGHTS.parent.mkdir(exist_ok=True)
    with nlp.use_params(optimizer.averages):
        WEIGHTS.write_bytes(lzma.compress(ner.to_bytes(exclude=["vocab"]), preset=9))
        sys.stdout.write(report(nlp))


def report(nlp: Language) -> str:
    """A table of recall by type with 95 % Wilson intervals on the held-out split."""
    lines = ["| type | spans | found | recall | 95 % interval |", "|---|---|---|---|---|"]
    found, spans, neutral, masked = measure(nlp, list(examples("held_out", _HELD_OUT, SEED)))
    for label in (*LABELS, "all"):
        total = sum(spans.values()) if label == "all" else spans[label]
        hits = sum(found.values()) if label == "all" else found[label]
        if not total:
            lines.append(f"| {label} | 0 | 0 | not measured | |")
            continue
        low, high = wilson(hits, total)
        lines.append(f"| {label} | {total} | {hits} | {hits / total:.3f} | {low:.3f}-{high:.3f} |")
    lines.append(f"neutral words: {neutral}, masked: {masked}")
    return "\n".join(lines) + "\n"


def measure(nlp: Language, messages: list[Example]) -> tuple[Counter[str], Counter[str], int, int]:
    """Spans found whole and spans by label; neutral words and how many of them were masked."""
    found: Counter[str] = Counter()
    spans: Counter[str] = Counter()
    neutral = masked = 0
    for message, doc in zip(messages, nlp.pipe(m.text for m in messages), strict=True):
        covered = {i for e in doc.ents for i in range(e.start_char, e.end_char)}
        gold: set[int] = set()
        for start, end, label in message.spans:
            places = {i for i in range(start, end) if message.text[i].isalnum()}
            gold |= set(range(start, end))
            spans[label] += 1
            found[label] += places <= covered
        for token in doc:
            if token.is_alpha and token.idx not in gold:
                neutral += 1
                masked += token.idx in covered
    return found, spans, neutral, masked


def wilson(hits: int, total: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    z, share = 1.96, hits / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * math.sqrt(share * (1 - share) / total + (z / (2 * total)) ** 2)
    return middle - half, middle + half


def _spacy_example(nlp: Language, example: Example) -> SpacyExample:
    doc = nlp.make_doc(example.text)
    # A slip may glue a span to its neighbour: what is no token of its own cannot be learned.
    spans = [s for s in example.spans if doc.char_span(*s[:2]) is not None]
    return SpacyExample.from_dict(doc, {"entities": spans})


if __name__ == "__main__":
    main()
