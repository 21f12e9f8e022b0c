"""`access.…`: signing in, by local accounts and an identity provider."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from ingestion.settings.section import Section, is_safe_url
from privacy.access.roles import Role


class OidcSettings(Section):
    """An OpenID Connect provider that vouches for people, beside local accounts."""

    issuer: str = Field("", description="The provider, as in its tokens' `iss`; empty: none.")
    client_id: str = Field("", description="What the provider calls this app.")
    client_secret_file: Path | None = Field(
        None, description="A file of mode 0600 with the client's secret."
    )
    role_claim: str = Field(
        "groups", description="The claim that decides the role; `a.b` looks into `a`."
    )
    roles: dict[str, Role] = Field(
        default_factory=dict,
        description="Role by value of the claim; the first that somebody has decides, none is no role.",
    )
    scope: str = Field("openid", description="Scopes to ask for.")
    label: str = Field("single sign-on", description="What the button calls the provider.")
    app_url: str = Field(
        "", description="Address of the app for browsers, when it is not app.host and app.port."
    )

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if not self.issuer:
            return self
        needed = ("client_id", "client_secret_file", "roles")
        missing = [f"access.oidc.{name}" for name in needed if not getattr(self, name)]
        if missing:
            raise ValueError(f"access.oidc.issuer is set, so set {', '.join(missing)} as well")
        for name in ("issuer", "app_url"):
            if not is_safe_url(getattr(self, name)):
                raise ValueError(f"access.oidc.{name} must be https, or http on loopback")
        if "openid" not in self.scope.split():
            raise ValueError("access.oidc.scope must name openid")
        return self


class AccessSettings(Section):
    """Signing in."""

    sign_in: Literal["local", "off"] = Field(
        "local", description="`local` accounts, or `off`: everybody is admin, loopback only."
    )
    session_hours: float = Field(12, description="How long a session lasts.", gt=0, le=168)
    token_file: Path | None = Field(
        None,
        description="A file with a token: commands ask the policy for its role, not the owner's.",
    )
    oidc: OidcSettings = Field(default_factory=lambda: OidcSettings.model_validate({}))
