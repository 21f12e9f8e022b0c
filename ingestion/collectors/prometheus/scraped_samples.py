"""The samples of a scrape with the labels that Prometheus would give them.

Here: `job` and `instance` on every series, labels that a sample brings of the same name, times that are
not honoured, and relabelling of samples. Not here: reading (`exposition`), OTLP (`exposition_otlp`).
Source: Prometheus configuration reference, `honor_labels`, `metric_relabel_configs`.
"""

from collections import Counter
from dataclasses import replace

from ingestion.collectors.prometheus.exposition_lines import Labels, Sample
from ingestion.collectors.prometheus.families import Exposition, Family
from ingestion.collectors.prometheus.jobs import Target
from ingestion.collectors.prometheus.relabelling import relabel

_NAME = "__name__"
_OTHER = "a series that relabelling makes another or none"


def labelled(exposition: Exposition, target: Target) -> Exposition:
    """The same exposition as the target's job wants it."""
    families: dict[tuple[str, str], Family] = {}
    faults, dropped = Counter(exposition.faults), Counter(exposition.dropped)
    seen: set[tuple[str, Labels, int | None]] = set()
    for family in exposition.families:
        for sample in family.samples:
            made = _sample(sample, target)
            if made is None:
                dropped["metric_relabel_configs"] += 1
                continue
            key = (made.name, made.labels, made.at_ns)
            if key in seen or family.part(made) != family.part(sample):
                faults[_OTHER] += 1
                dropped[_OTHER] += 1
                continue
            seen.add(key)
            # What is renamed keeps its type; the parts of a histogram go together.
            name = made.name.removesuffix(sample.name.removeprefix(family.name))
            fresh = Family(name, family.type, family.unit if name == family.name else "")
            families.setdefault((name, family.type), fresh).samples.append(made)
        for labels, created_ns in family.created.items():
            made = _sample(Sample(family.name, labels, 0.0, None), target)
            if made is not None and (of := families.get((made.name, family.type))):
                of.created[made.labels] = created_ns
    return replace(exposition, families=tuple(families.values()), faults=faults, dropped=dropped)


def _sample(sample: Sample, target: Target) -> Sample | None:
    of_target = {**target.labels, "job": target.job, "instance": target.instance}
    labels = _merged(dict(sample.labels), of_target, honor=target.honor_labels)
    name = sample.name
    if target.metric_rules:
        changed = relabel({_NAME: name, **labels}, target.metric_rules)
        if changed is None or _NAME not in changed:
            return None
        labels, name = changed, changed.pop(_NAME)
    at_ns = sample.at_ns if target.honor_timestamps else None
    return replace(sample, name=name, labels=_told(labels, target), at_ns=at_ns)


def _merged(own: dict[str, str], of_target: dict[str, str], *, honor: bool) -> dict[str, str]:
    """Both; of a name that both have, the job decides which keeps it."""
    if honor:
        return of_target | own
    kept = {_exported(name, own) if name in of_target else name: v for name, v in own.items()}
    return kept | of_target


def _exported(name: str, own: dict[str, str]) -> str:
    while name in own:
        name = f"exported_{name}"
    return name


def _told(labels: dict[str, str], target: Target) -> Labels:
    """Labels of a target are told by its resource, but for `job` and `instance`."""
    return tuple(sorted((k, v) for k, v in labels.items() if target.labels.get(k) != v))
