"""The Typer sub-applications; modules beside this one add commands to them, `cli` mounts them."""

import typer


def _group(text: str) -> typer.Typer:
    return typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        help=text,
    )


privacy = _group("Detection, erasure, audit and leak scans.")
retention = _group("What expires when.")
access = _group("Accounts, roles and break-glass.")
keys = _group("The key-encryption key and its data keys.")
alerts = _group("Alerts, silences and rules.")
errors = _group("Error groups.")
GROUPS = {
    "privacy": privacy,
    "retention": retention,
    "access": access,
    "keys": keys,
    "alerts": alerts,
    "errors": errors,
}
