"""Whether a pass would have something to do."""

from dagster_project.passes.news import has_news


def test_a_fresh_home_has_none(settings) -> None:
    assert has_news(settings) is None


def test_received_batches_wait_until_they_are_drained(
    settings, keys, spool, pipeline, incoming
) -> None:
    from ingestion.lake.drain import drain

    pipeline.process(incoming[:4])
    assert "batches wait" in (has_news(settings) or "")
    drain(settings, keys)
    assert "hours of the lake wait" in (has_news(settings) or "")
