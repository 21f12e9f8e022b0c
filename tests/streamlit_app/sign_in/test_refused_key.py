"""A page without the right key shows what to do, and no number."""

from ingestion.settings import Settings
from privacy.keys.key_store import KeyStore
from streamlit_app.readings import source
from streamlit_app.sign_in import doorman


def test_a_missing_key_is_named_on_the_page(settings: Settings, keys: KeyStore) -> None:
    copy = settings.published_path(source.AUDIENCE)
    copy.parent.mkdir()
    copy.touch()
    (settings.home / "keys" / "kek").unlink()
    source.settings.clear()
    doorman.forget()
    try:
        reading = source.marts("SELECT 4711")
    finally:
        source.settings.clear()
        doorman.forget()
    assert reading.frame.empty
    assert "its key is missing" in reading.problem and "TTA_KEK_FILE" in reading.problem
