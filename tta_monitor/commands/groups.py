"""The Typer sub-applications; modules beside this one add commands to them, `cli` mounts them."""

import typer


def group(text: str) -> typer.Typer:
    """An application for commands; its help is plain text, which costs no import."""
    return typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        help=text,
    )


privacy = group("Detection, erasure, audit and leak scans.")
retention = group("What expires when.")
access = group("Accounts, roles and break-glass.")
keys = group("The key-encryption key and its data keys.")
alerts = group("Alerts, silences and rules.")
errors = group("Error groups.")
GROUPS = {
    "privacy": privacy,
    "retention": retention,
    "access": access,
    "keys": keys,
    "alerts": alerts,
    "errors": errors,
}
