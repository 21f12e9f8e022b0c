"""A group of commands: what every module of commands begins with.

Here: how groups look and behave. Not here: which commands there are (`tta_monitor/commands`), and which
module has which (`tta_monitor/cli`).
"""

import typer


def group(text: str = "") -> typer.Typer:
    """An application for commands; its help is plain text, which costs no import."""
    return typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        help=text,
    )
