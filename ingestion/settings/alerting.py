"""`alerting.…`: the webhook that needs no file."""

from pydantic import Field

from ingestion.settings.section import Section


class AlertingSettings(Section):
    """Who is told; everything else stands in `<home>/alerting.yaml`."""

    webhook_url: str = Field(
        "", description="A webhook that is told of every alert, in Alertmanager's form."
    )
