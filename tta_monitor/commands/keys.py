"""`./tta.sh monitor keys …`: the KEK and the data keys it wraps.

Here: arguments and printing. Not here: keys (`privacy/keys/key_store`) and rotation
(`privacy/keys/rotation`).
"""

import json
from typing import Annotated

import typer

from tta_monitor.console.context import out, print_table, settings
from tta_monitor.console.groups import group
from tta_monitor.console.permission import noted

commands = group()


@commands.command("status")
def status(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show where the key comes from and which data keys live; never a key.

    Example: ./tta.sh monitor keys status
    """
    from privacy.keys.key_store import KeyStore

    store = KeyStore.open(settings().home)
    datasets = store.datasets()
    rows = [
        {
            "dataset": d.dataset,
            "keys": d.count,
            "oldest": d.oldest and d.oldest.isoformat(),
            "newest": d.newest and d.newest.isoformat(),
        }
        for d in datasets
    ]
    if as_json:
        print(json.dumps({"source": store.source, "datasets": rows}))
        return
    out.print(f"key-encryption key: {store.source}")
    print_table(["dataset", "keys", "oldest", "newest"], [list(r.values()) for r in rows])


@commands.command("rotate")
def rotate() -> None:
    """Replace the key-encryption key while everything runs; finishes an interrupted rotation.

    Example: ./tta.sh monitor keys rotate
    """
    from privacy.keys.key_store import KeyProblem
    from privacy.keys.rotation import rotate as rotate_kek

    home = settings().home
    with noted(home, KeyProblem, action="keys.rotate", target="home"):
        done = rotate_kek(home)
    verb = "finished the interrupted rotation" if done.was_interrupted else "rotated"
    out.print(f"{verb}: {done.rewrapped_keys} keys re-wrapped, {done.source}")
    if done.is_old_key_yours_to_remove:
        out.print("Now remove the old key from TTA_MONITOR_KEK and restart the processes.")
