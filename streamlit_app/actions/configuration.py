"""What an admin changes about the home from the app: one section of `config.yaml`.

Here: the right, the writing, the audit entry with the section's name. Not here: what a setting may be
(`ingestion/settings`), the page. A value is never told, neither in the entry nor in an error.
"""

from ingestion.settings import SettingsProblem
from ingestion.settings.changing import section_text
from privacy.access.access_policy import Right
from streamlit_app.readings import source
from streamlit_app.sign_in import permission

CHANGE = "settings.change"


def may_change() -> bool:
    """Whether whoever looks may."""
    return permission.may_read(Right.ACTION, CHANGE)


def check(section: str, text: str) -> str:
    """Why a section would not be taken; empty when it would be."""
    permission.require_of_viewer(Right.ACTION, CHANGE)
    try:
        section_text.check(source.settings().home, section, text)
    except SettingsProblem as problem:
        return str(problem)
    return ""


def save(section: str, text: str) -> str:
    """Check and write a section; what somebody has to do next. Raises SettingsProblem."""
    with permission.acting(CHANGE, SettingsProblem, section=section):
        section_text.save(source.settings().home, section, text)
    return restart_words(section)


def restart_words(section: str) -> str:
    """Which processes take a change when they start again, and how."""
    named = ", ".join(section_text.readers(section))
    return f"Taken when {named} start again: `./tta.sh monitor down`, then `up`."
