"""Dagster's daemons wait long and end at once."""

import threading

from dagster_project.process.daemons import Daemons, Patience, PatientEvent


def test_a_short_wait_becomes_a_long_one_and_setting_ends_it() -> None:
    event, woken = PatientEvent(600), threading.Event()

    def wait() -> None:
        event.wait(0.001)
        woken.set()

    threading.Thread(target=wait, daemon=True).start()
    assert not woken.wait(0.05)
    event.set()
    assert woken.wait(30)


class Loop:
    """A daemon whose loop fails the first time."""

    def __init__(self) -> None:
        self.began, self.is_going = 0, threading.Event()

    def daemon_type(self) -> str:
        return "LOOP"

    def core_loop(self, context, stop):
        self.began += 1
        yield None
        if self.began == 1:
            raise ValueError("a text of somebody")
        self.is_going.set()
        while True:
            stop.wait(0.001)
            yield None


class Instance:
    """Counts heartbeats."""

    def __init__(self) -> None:
        self.beats = []

    def add_daemon_heartbeat(self, beat) -> None:
        self.beats.append(beat)


class Context:
    instance = Instance()


def test_a_daemon_that_fails_begins_anew_and_says_nothing_of_the_text(capsys, monkeypatch) -> None:
    monkeypatch.setattr("dagster_project.process.daemons._ERROR_S", 0)
    loop = Loop()
    daemons = Daemons(Context(), [Patience(loop, 0.001)])
    daemons.start()
    assert loop.is_going.wait(30)
    assert daemons.dead() == []
    daemons.stop()
    assert daemons.dead() == ["loop"]
    assert "somebody" not in capsys.readouterr().err
    assert len(Context.instance.beats) == 1
