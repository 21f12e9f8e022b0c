"""The secret that an identity provider gave this app: a file of mode 0600, never a setting.

Here: reading it for the app and the `doctor`. Not here: what it is used for
(`streamlit_app/sign_in/provider`).
"""

import stat

from ingestion.settings import SettingsProblem
from ingestion.settings.access import OidcSettings


def client_secret(oidc: OidcSettings) -> str:
    """The secret; raises SettingsProblem with the fix."""
    file = oidc.client_secret_file
    if not oidc.issuer or file is None:
        raise SettingsProblem("access.oidc.issuer is not set: see docs/access.md.")
    try:
        mode, secret = stat.S_IMODE(file.stat().st_mode), file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsProblem(
            f"access.oidc.client_secret_file ({file}) cannot be read ({type(error).__name__}): write the "
            "provider's client secret into it, mode 0600."
        ) from None
    if mode & 0o077:
        raise SettingsProblem(
            f"access.oidc.client_secret_file ({file}) may be read by others: `chmod 600 {file}`."
        )
    if not secret:
        raise SettingsProblem(f"access.oidc.client_secret_file ({file}) is empty.")
    return secret
