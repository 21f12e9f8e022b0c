"""A process that drains a home over and over, to be killed at any moment."""

import time

from ingestion.lake.drain import drain
from ingestion.settings import load_settings
from privacy.keys.key_store import KeyStore

if __name__ == "__main__":
    settings = load_settings()
    keys = KeyStore.open(settings.home)
    while True:
        drain(settings, keys)
        time.sleep(0.05)
