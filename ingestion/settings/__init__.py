"""Every setting of the product, typed, from environment and one YAML file.

Here: names, defaults and validation, one module for each section. Not here: secrets (`privacy/keys`), what
may be kept (`privacy/gate/allow_list.yaml`).
"""

from ingestion.settings.section import MIB
from ingestion.settings.sources import SettingsProblem
from ingestion.settings.whole import Settings, load_settings, shipped_settings

__all__ = ["MIB", "Settings", "SettingsProblem", "load_settings", "shipped_settings"]
