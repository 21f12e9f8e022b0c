"""A guarded process cannot write what a sender sent: not in logs, warnings, crashes or dumps."""

import ast
import subprocess
import sys

import pytest

from privacy.process_log.log import FIELDS
from tests.conftest import ROOT

SECRET = "eva.lindqvist@example.org"
_WAYS = {
    "an uncaught exception": "raise ValueError(secret)",
    "a cause": "try:\n    int(secret)\nexcept ValueError as e:\n    raise RuntimeError(secret) from e",
    "a thread": "import threading\nt = threading.Thread(target=int, args=(secret,))\nt.start()\nt.join()",
    "asyncio": "import asyncio\nasync def f():\n    raise ValueError(secret)\n"
    "async def g():\n    asyncio.get_running_loop().create_task(f())\n    await asyncio.sleep(0.01)\n"
    "asyncio.run(g())\nimport gc\ngc.collect()",
    "a finaliser": "class A:\n    def __del__(self):\n        raise ValueError(secret)\nA()",
    "a warning": "import warnings\nwarnings.warn(secret)",
    "a library's log": "import logging\nlogging.basicConfig()\nlogging.getLogger('h11').error(secret)",
    "arguments of a log": "import logging\nlogging.basicConfig()\nlogging.error('x %s', secret)",
    "a logged exception": "import logging\nlogging.basicConfig()\ntry:\n    int(secret)\n"
    "except ValueError:\n    logging.getLogger('uvicorn.error').exception('failed')",
    "our own log": "from privacy.process_log.log import logger\nlogger().error('mail ' + secret, cause=secret, "
    "unknown=secret)",
}


@pytest.mark.parametrize("way", _WAYS)
def test_no_way_out_carries_the_text(way: str) -> None:
    code = f"import sys\nsecret = sys.argv[1]\nfrom privacy.process_log.log import guard\nguard()\n{_WAYS[way]}\n"
    done = subprocess.run(
        [sys.executable, "-c", code, SECRET], capture_output=True, cwd=ROOT, check=False
    )
    said = done.stdout + done.stderr
    assert said
    assert SECRET.encode() not in said
    assert b"lindqvist" not in said


_RUN = """
import logging, sys, types
sys.path.insert(0, {root!r})
from privacy.process_log.log import guard
guard()
log = logging.getLogger("dagster")
log.addHandler(logging.StreamHandler())
log.setLevel("INFO")
def said_in(file, text):
    code = compile("log.error(text)", file, "exec")
    exec(code, {{"log": log, "text": text}})
said_in({root!r} + "/dagster_project/defs/raw.py", "waiting for 'eva lindqvist', 'fct_requests' is next")
said_in("/x/site-packages/dagster/_core/log_manager.py", 'Execution of step "landed" failed.')
said_in("/x/site-packages/dagster_dbt/core/dbt_cli_event.py", "Exception: no such name eva lindqvist")
"""


def test_a_run_log_keeps_sentences_and_loses_what_they_quote() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _RUN.format(root=str(ROOT))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr.splitlines() == [
        "waiting for <text>, 'fct_requests' is next",
        'Execution of step "landed" failed.',
        "Exception: no such name <name> <word>",
    ]


def test_without_the_guard_the_text_would_be_written() -> None:
    code = f"import sys\nsecret = sys.argv[1]\n{_WAYS['an uncaught exception']}\n"
    done = subprocess.run(
        [sys.executable, "-c", code, SECRET], capture_output=True, cwd=ROOT, check=False
    )
    assert SECRET.encode() in done.stderr


def test_every_field_that_our_code_logs_is_allowed() -> None:
    logged: set[str] = set()
    for package in ("privacy", "ingestion", "live_tail", "dagster_project", "tta_monitor"):
        for file in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and isinstance(node.func.value, ast.Name)
                    and node.func.value.id == "_log"
                ):
                    logged |= {keyword.arg or "**" for keyword in node.keywords}
    assert logged
    assert logged <= FIELDS


_UNGUARDED = {"tta_monitor/__main__.py"}  # calls cli.main, which is guarded
_GUARDING = ("run_process(", "answer(")  # `ingestion/processes` guards whoever begins there
_LOADED_BY_OTHERS = (
    "tta_monitor/cli.py",
    "dagster_project/definitions.py",  # Dagster's code server and runs
    "streamlit_app/server.py",  # `streamlit run`
)


def test_every_process_of_ours_calls_the_guard() -> None:
    mains = [
        file
        for package in ("ingestion", "live_tail", "dagster_project", "tta_monitor")
        for file in (ROOT / package).rglob("*.py")
        if file.name == "__main__.py" or "\nif __name__ ==" in file.read_text()
    ]
    mains += [ROOT / name for name in _LOADED_BY_OTHERS]
    assert len(mains) > 8
    for file in mains:
        name = str(file.relative_to(ROOT))
        is_guarded = any(call in file.read_text() for call in ("guard()", *_GUARDING))
        assert is_guarded or name in _UNGUARDED, name
