"""One document in four formats: the same numbers, the same bytes twice, texts that stay texts."""

import base64
import re

import pypdf
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from dagster_project.reporting.document.figures import figure, told
from dagster_project.reporting.document.report_document import Document
from dagster_project.reporting.rendering.all_formats import FORMS, rendered
from dagster_project.reporting.rendering.csv_text import as_csv
from dagster_project.reporting.rendering.drawn_charts import drawn
from dagster_project.reporting.rendering.html_page import as_html
from dagster_project.reporting.rendering.json_text import as_json, from_json
from dagster_project.reporting.rendering.pdf_pages import as_pdf
from tests.reports import csv_parts, document, html_of, json_of, pdf_text

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "&amp; &lt;b&gt; ]]> -->",
    "=HYPERLINK(0)",
    "{{ jinja }} ${x} %s \\n",
    "a" * 300,
    "нет такого компонента 東京",
    "tab\tand\nline",
]
PLAIN = document(charts=())


@pytest.fixture(scope="module")
def drawings() -> list[str]:
    return drawn(document())


@pytest.fixture(scope="module")
def formats(drawings: list[str]) -> dict[str, bytes]:
    one = document()
    return {
        "pdf": as_pdf(one, drawings),
        "csv": as_csv(one),
        "json": as_json(one),
        "html": as_html(one, drawings),
    }


def same_numbers(one: Document, drawings: list[str]) -> None:
    """Every figure, change and cell, in every format."""
    said = json_of(as_json(one))
    parts = csv_parts(as_csv(one))
    html = html_of(as_html(one, drawings))
    pdf = pdf_text(as_pdf(one, drawings))
    for made, row in zip(said["figures"], parts["Figures"], strict=True):
        assert row["value"] == ("" if made["value"] is None else str(made["value"]))
        assert row["change"] == ("" if made["change"] is None else str(made["change"]))
    for one_figure in one.figures:
        for words in filter(None, (one_figure.words, one_figure.change_words)):
            assert words in pdf
            assert words in " ".join(html.words)
    shown = [t for t in one.tables if t.rows]
    for table, in_html in zip(shown, html.tables, strict=True):
        record = next(t for t in said["tables"] if t["title"] == table.title)
        for row, cells, told_row, csv_row in zip(
            record["rows"], table.cells(), in_html[1:], parts[table.title], strict=True
        ):
            assert told_row == cells
            for value, text, kept in zip(row, cells, csv_row.values(), strict=True):
                if not isinstance(value, str):
                    assert kept == ("" if value is None else str(value))
                    assert text in pdf


def test_the_formats_of_a_report_hold_the_same_numbers(drawings: list[str]) -> None:
    same_numbers(document(), drawings)


_NUMBERS = st.one_of(
    st.none(), st.integers(-(10**12), 10**12), st.floats(-1e9, 1e9), st.just(float("nan"))
)
_ROWS = st.lists(
    st.tuples(st.sampled_from(["api", "web", "a-long-component-name"]), _NUMBERS, _NUMBERS),
    min_size=1, max_size=15,
)  # fmt: skip
_FIGURES = st.lists(
    st.tuples(_NUMBERS, _NUMBERS, st.sampled_from(["", "%", "ms"]), st.integers(0, 3)),
    min_size=5, max_size=5,
)  # fmt: skip


# Without shrinking: each try lays out a PDF.
@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(_ROWS, _FIGURES)
def test_any_document_has_the_same_numbers_in_every_format(rows: list, numbers: list) -> None:
    figures = tuple(
        figure(f"Figure {place}", value, before, unit=unit, digits=digits)
        for place, (value, before, unit, digits) in enumerate(numbers)
    )
    one = document(rows, figures, charts=())
    same_numbers(one, [])
    assert from_json(as_json(one)) == one


def test_what_nobody_measured_is_a_dash_and_never_a_zero(formats: dict[str, bytes]) -> None:
    assert json_of(formats["json"])["figures"][3]["value"] is None
    assert csv_parts(formats["csv"])["Figures"][3]["value"] == ""
    for words in (pdf_text(formats["pdf"]), " ".join(html_of(formats["html"]).words)):
        assert "\u2014" in words and "No call of an AI model was measured." in words


def test_chart_data_stand_in_csv_and_json_too(formats: dict[str, bytes]) -> None:
    points = json_of(formats["json"])["charts"][0]["points"]
    rows = csv_parts(formats["csv"])["Requests by hour (chart)"]
    assert [[r["from"], r["series"], int(r["requests"])] for r in rows] == points
    assert len(points) == 48


@pytest.mark.slow
def test_a_report_built_twice_is_the_same_byte_by_byte() -> None:
    first, second = rendered(document()), rendered(document())
    assert set(first) == set(FORMS)
    assert [form for form in FORMS if first[form] != second[form]] == []


def test_a_pdf_says_first_what_matters_and_has_pages_bookmarks_and_its_edition(
    formats: dict[str, bytes],
) -> None:
    import io

    reader = pypdf.PdfReader(io.BytesIO(formats["pdf"]))
    one, pages = document(), reader.pages
    words = " ".join(pages[0].extract_text().split())
    assert words.index("Daily operations") < words.index("Warning.") < words.index("99.53 %")
    for number, page in enumerate(pages, 1):
        text = page.extract_text()
        assert f"Page {number} of {len(pages)}" in text and f"edition {one.edition}" in text
    titles = [entry.title for entry in reader.outline]  # type: ignore[union-attr]
    assert titles == [
        "Summary",
        *(c.title for c in one.charts),
        *(t.title for t in one.tables),
        "Method",
    ]
    assert pages[0].mediabox.width == pytest.approx(595.28, abs=0.1)
    names = {str(f) for page in pages for f in page["/Resources"]["/Font"].values()}  # type: ignore[index]
    assert names
    fonts = {
        str(f.get_object()["/BaseFont"])
        for page in pages
        for f in page["/Resources"]["/Font"].values()  # type: ignore[index]
    }
    assert any("Inter" in font for font in fonts)


def test_charts_of_a_pdf_are_vectors_whose_text_can_be_found(formats: dict[str, bytes]) -> None:
    import io

    reader = pypdf.PdfReader(io.BytesIO(formats["pdf"]))
    assert not [image for page in reader.pages for image in page.images]
    assert "answered" in pdf_text(formats["pdf"]) and "12:00" in pdf_text(formats["pdf"])


def test_a_long_table_repeats_its_header_on_each_page_and_cuts_no_row() -> None:
    import io

    from dagster_project.reporting.document.figures import Column, table

    rows = [(f"component-{n} " + "with a long name " * 6, n) for n in range(90)]
    long = table("Long", (Column("Name"), Column("Count", 0)), rows, most=90)
    pages = pypdf.PdfReader(io.BytesIO(as_pdf(document(charts=(), tables=(long,)), []))).pages
    with_rows = [page.extract_text() for page in pages if "component-" in page.extract_text()]
    assert len(with_rows) >= 3
    assert all("Name" in text and "Count" in text for text in with_rows)
    whole = [re.findall(r"component-\d+", text) for text in with_rows]
    assert sum(len(found) for found in whole) == 90


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_name_stays_a_text_in_every_format(name: str) -> None:
    one = document([(name, 1.5, 7)], charts=(), verdict=f"Most failed in {name}.")
    html = as_html(one, []).decode()
    # Our own tags alone.
    assert not re.search(r"<(script|img|b)[\s>]", html)
    assert "onerror" not in re.sub(r">[^<]*<", "><", html)
    assert html_of(html.encode()).tables[0][1][0] == name
    assert json_of(as_json(one))["tables"][0]["rows"][0][0] == name
    ((cell, *_),) = (tuple(r.values()) for r in csv_parts(as_csv(one))["Components"])
    assert cell.lstrip("'") == name and not cell.startswith(("=", "+", "-", "@"))
    assert "7" in pdf_text(as_pdf(one, []))


def test_a_page_of_a_report_asks_nothing_of_any_host_and_runs_nothing(
    formats: dict[str, bytes],
) -> None:
    html = formats["html"].decode()
    assert "default-src 'none'" in html and "<script" not in html
    assert not re.findall(r'(?:src|href)="(?!data:)[^"]*"', html)
    pictures = [base64.b64decode(p).decode() for p in re.findall(r"base64,([^\"]+)", html)]
    assert len(pictures) == 2
    for picture in pictures:
        assert "<script" not in picture and not re.findall(r'href="http', picture)


def test_the_edition_is_of_what_is_said_and_not_of_when() -> None:
    from datetime import timedelta

    later = document(generated_at=PLAIN.generated_at + timedelta(days=1), charts=())
    assert later.edition == PLAIN.edition and re.fullmatch("[a-p]{16}", PLAIN.edition)
    other = document([("api", 1.25, 1_201)], charts=())
    assert other.edition != PLAIN.edition


def test_what_is_no_report_is_told_as_such() -> None:
    for content in (b"{}", b"[]", b"nothing", b'{"period": {}}'):
        with pytest.raises(ValueError):
            from_json(content)


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (None, 2, "\u2014"),
        (0.0, 1, "0.0"),
        (1_920, 0, "1,920"),
        (99.5, 2, "99.50"),
        ("api", 0, "api"),
    ],
)
def test_a_value_reads_in_one_way(value: object, digits: int, text: str) -> None:
    assert told(value, digits) == text  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("now", "before", "unit", "words", "news"),
    [
        (110, 100, "", "+10.0 %", "bad"), (90, 100, "", "-10.0 %", "good"),
        (99.5, 99.0, "%", "+0.50 pt", "bad"), (5, 0, "", "", "flat"), (None, 3, "", "", "flat"),
        (3, None, "", "", "flat"), (7, 7, "", "+0.0 %", "flat"),
    ],
)  # fmt: skip
def test_a_change_says_by_how_much_and_whether_it_is_good(
    now: float | None, before: float | None, unit: str, words: str, news: str
) -> None:
    made = figure("x", now, before, unit=unit, digits=2, better="down")
    assert (made.change_words, made.news) == (words, news)
