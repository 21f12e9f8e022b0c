"""A report as one HTML page that asks nothing of any host and runs no script.

Everything from outside is escaped; charts are pictures inside their addresses, in which nothing runs.
"""

import base64
import html
from collections.abc import Iterator, Sequence

from dagster_project.reporting.charts import LIGHT
from dagster_project.reporting.document.figures import Figure, Table
from dagster_project.reporting.document.report_document import Chart, Document
from dagster_project.reporting.rendering.report_words import PRODUCT, STATES, about, compared

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_STYLE = f"""
body {{ font: 14px/1.45 Inter, system-ui, sans-serif; color: {LIGHT.text}; background: #FFFFFF;
  margin: 0 auto;  max-width: 60rem; padding: 1.5rem; }}
h1 {{ font-size: 1.5rem; margin: 0; }} h2 {{ font-size: 1.15rem; margin: 2rem 0 .5rem; }}
p {{ margin: .25rem 0; overflow-wrap: anywhere; }} .quiet {{ color: {LIGHT.quiet}; }}
.verdict {{ font-size: 1.15rem; font-weight: 600; border-left: 4px solid; padding-left: .75rem;
  margin: 1rem 0; }}
.ok {{ border-color: {LIGHT.ok}; }} .warning {{ border-color: {LIGHT.warning}; }}
.critical {{ border-color: {LIGHT.critical}; }} .unknown {{ border-color: {LIGHT.unknown}; }}
dl {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: .5rem; margin: 0; }}
dl div {{ background: #F4F7F8; border: 1px solid {LIGHT.grid}; border-radius: .5rem; padding: .6rem .75rem; }}
dt {{ color: {LIGHT.quiet}; }} dd {{ margin: 0; font-size: 1.4rem; font-weight: 600; }}
dd small {{ display: block; font-size: .8rem; font-weight: 400; }}
.good {{ color: {LIGHT.ok}; }} .bad {{ color: {LIGHT.critical}; }} .flat {{ color: {LIGHT.quiet}; }}
img {{ width: 100%; }} .scroll {{ overflow-x: auto; }}
table {{ border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }}
th, td {{ text-align: left; padding: .3rem .5rem; border-bottom: 1px solid {LIGHT.grid}; vertical-align: top;
  overflow-wrap: anywhere; }} th {{ color: {LIGHT.quiet}; font-weight: 600; }}
.number {{ text-align: right; white-space: nowrap; }}
"""


def as_html(document: Document, drawings: Sequence[str]) -> bytes:
    """The page, UTF-8; `drawings` are the SVGs of the charts that have points, in their order."""
    return "".join(_page(document, iter(drawings))).encode()


def _page(document: Document, drawings: Iterator[str]) -> Iterator[str]:
    title = f"{document.title}, {document.period.label}"
    yield f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{_text(title)}</title>'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<style>{_STYLE}</style></head><body><header><p class=quiet>{PRODUCT}</p>"
    yield f"<h1>{_text(document.title)}</h1><p>{_text(about(document)['period'])}</p></header><main>"
    yield f'<p class="verdict {document.state}">{STATES[document.state]}: {_text(document.verdict)}</p>'
    yield f"<dl>{''.join(_figure(one) for one in document.figures)}</dl>"
    yield f"<p class=quiet>{_text(compared(document))}</p>"
    yield from (_chart(chart, drawings) for chart in document.charts)
    yield from (_table(one) for one in document.tables)
    yield "<h2>Method</h2>"
    yield from (f"<p>{_text(line)}</p>" for line in document.method)
    facts = " · ".join(f"{name} {text}" for name, text in about(document).items() if name in _FACTS)
    yield f"</main><footer><p class=quiet>{_text(facts)}</p></footer></body></html>\n"


_FACTS = ("range", "data as of", "generated at", "edition")


def _figure(one: Figure) -> str:
    missing = f"<small class=quiet>{_text(one.missing)}</small>" if one.value is None else ""
    change = f'<small class="{one.news}">{_text(one.change_words)}</small>'
    return (
        f"<div><dt>{_text(one.name)}</dt><dd>{_text(one.words)}"
        f"{change if one.change_words else ''}{missing}</dd></div>"
    )


def _chart(chart: Chart, drawings: Iterator[str]) -> str:
    head = f"<h2>{_text(chart.title)}</h2>"
    if not chart.points:
        return f"{head}<p class=quiet>{_text(chart.empty)}</p>"
    source = base64.b64encode(next(drawings).encode()).decode()
    words = f"{chart.title}, {chart.unit}: {', '.join(chart.series)}"
    return f'{head}<img alt="{_text(words)}" src="data:image/svg+xml;base64,{source}">'


def _table(one: Table) -> str:
    head = f"<h2>{_text(one.title)}</h2>"
    if not one.rows:
        return f"{head}<p class=quiet>{_text(one.empty)}</p>"
    kinds = [' class="number"' if column.is_number else "" for column in one.columns]
    titles = "".join(
        f'<th scope="col"{kind}>{_text(c.title)}</th>'
        for c, kind in zip(one.columns, kinds, strict=True)
    )
    rows = "".join(
        f"<tr>{''.join(f'<td{k}>{_text(v)}</td>' for v, k in zip(row, kinds, strict=True))}</tr>"
        for row in one.cells()
    )
    note = f"<p class=quiet>{_text(one.note)}</p>" if one.note else ""
    return (
        f"{head}<div class=scroll><table><thead><tr>{titles}</tr></thead><tbody>{rows}</tbody></table>"
        f"</div>{note}"
    )


def _text(value: str) -> str:
    return html.escape(value, quote=True)
