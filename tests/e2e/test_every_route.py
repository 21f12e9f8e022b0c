"""A thousand private texts through every route there is: no byte of one is stored, logged or sent.

Here: sending through the list of routes (`routes`), building, and looking everywhere. A door of the code
that no route of the list goes through fails the first test.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dagster_project.leaks.home_scan import ScanReport, scan_home
from privacy.keys.key_store import KeyStore
from privacy.leaks.detector import LeakDetector
from tests.conftest import ROOT
from tests.e2e.canaries import Canary, canaries
from tests.e2e.doors import doors
from tests.e2e.routes import ROUTES
from tests.e2e.stage import Stage, listening
from tests.processes import running

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1_200)]


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Everything was sent through every route, and the pass was run."""
    folder = tmp_path_factory.mktemp("routes")
    home, outside, inputs = folder / "home", folder / "outside", folder / "inputs"
    for each in (home, outside, inputs):
        each.mkdir()
    with listening(outside) as hook:
        (home / "alerting.yaml").write_text(
            f'channels: {{hook: {{type: webhook, url: "{hook}"}}, screen: {{type: console}}}}\n'
            "receivers: [{name: team, channels: [hook, screen]}]\n"
            "route: {receiver: team, group_by: ['...'], group_wait: 0s}\n"
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TTA_MONITOR_RECEIVER__MAX_BODY_BYTES", str(8 * 1024 * 1024))
            with running(home, "ingestion.receivers", "live_tail") as processes:
                stage = Stage(processes, canaries(), outside, inputs)
                for sender in ROUTES:
                    stage.used |= set(sender(stage))
                    assert not processes.has_died(), sender.__name__
        built = subprocess.run(
            [sys.executable, "-m", "tta_monitor", "build"],
            cwd=ROOT, env=processes.environment, capture_output=True, check=False,
        )  # fmt: skip
        stage.heard("build.bin", built.stdout + built.stderr)
        assert not built.returncode, built.stderr[-2_000:]
        yield stage


def test_every_door_of_the_code_is_on_the_list(sent: Stage) -> None:
    assert doors() - sent.used == set()
    assert sent.used - doors() == set()


def test_a_thousand_texts_of_every_kind_were_sent(sent: Stage) -> None:
    assert len(sent.canaries) >= 1_000
    assert len({c.kind for c in sent.canaries}) >= 18
    assert len({c.text for c in sent.canaries}) == len(sent.canaries)


def needles(chosen: list[Canary]) -> list[str]:
    return [needle for canary in chosen for needle in canary.needles if len(needle) >= 6]


@pytest.fixture(scope="module")
def report(sent: Stage) -> ScanReport:
    keys = KeyStore.open(sent.home)
    return scan_home(sent.processes.settings, keys, listed=needles(sent.canaries), artefacts=())


def test_nothing_of_them_is_in_the_home_sealed_or_not(report: ScanReport) -> None:
    assert report.unread == () and report.blind == ()
    assert report.findings == ()
    assert report.texts > 1_000 and report.bytes > 1_000_000


def test_nothing_of_them_went_out(sent: Stage) -> None:
    texts = needles(sent.canaries)
    everywhere = LeakDetector(texts)
    names = sorted(file.name for file in sent.outside.iterdir())
    told = {"answers", "crashes", "dagster", "pages", "terminal", "wire"}
    assert {f"{name}.bin" for name in told} <= set(names)
    for name in names:
        # A terminal may show what was typed there, and only that.
        eye = LeakDetector(needles(sent.some(7))) if name == "terminal.bin" else everywhere
        found = eye.find((sent.outside / name).read_bytes())
        assert found["listed_text"] == 0, name


def test_the_scan_finds_one_that_is_planted_in_any_form(sent: Stage, tmp_path: Path) -> None:
    import base64
    import gzip

    eye = LeakDetector(needles(sent.canaries))
    for canary in sent.canaries[:: len(sent.canaries) // 40]:
        plain = f"x {canary.text} y".encode()
        forms = [
            plain,
            plain.upper(),
            gzip.compress(plain),
            base64.b64encode(plain),
            plain.hex().encode(),
        ]
        forms.append(plain.decode().encode("utf-16"))
        for form in forms:
            assert eye.find(b"\x00" + form)["listed_text"], canary.kind
