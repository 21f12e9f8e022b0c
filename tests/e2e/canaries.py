"""A thousand made-up people: what a sender could leak, seeded, each with the bytes to look for.

Here: making canaries and the sentence each would stand in. Not here: how they travel (`routes`) and
looking for them (`test_every_route`). Numbers carry valid checksums; nobody of this file exists.
"""

import base64
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_ONSETS = "b br d dr f g gr h j k kr l m n p pr qu r s st t tr v w z".split()
_VOWELS = "a e i o u ia eo ai".split()
_ENDS = "n r l s x th nd rk st m".split()
PER_KIND = 56


@dataclass(frozen=True)
class Canary:
    """`text` is the private words, `sentence` a log line around them, `needles` what must not survive."""

    kind: str
    text: str
    sentence: str
    needles: tuple[str, ...]


class _Maker:
    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def word(self) -> str:
        parts = (
            self.chance.choice(_ONSETS) + self.chance.choice(_VOWELS) + self.chance.choice(_ENDS)
            for _ in range(3)
        )
        return "".join(parts)

    def digits(self, number: int) -> str:
        return "".join(self.chance.choice("0123456789") for _ in range(number))

    def token(self, number: int) -> str:
        letters = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
        return "".join(self.chance.choice(letters) for _ in range(number))

    def person(self) -> str:
        return f"{self.word().capitalize()} {self.word().capitalize()}"

    def email(self) -> str:
        return f"{self.word()}.{self.word()}@{self.word()}.example"

    def phone(self) -> str:
        return f"+44 7{self.digits(3)} {self.digits(6)}"

    def card(self) -> str:
        number = "4" + self.digits(14)
        total = sum(
            sum(divmod(int(d) * 2, 10)) if i % 2 == 0 else int(d) for i, d in enumerate(number)
        )
        number += str(-total % 10)
        return " ".join(number[i : i + 4] for i in range(0, 16, 4))

    def iban(self) -> str:
        account = self.digits(18)
        check = 98 - int(account + "131400") % 97
        return f"DE{check:02d}{account}"

    def national_id(self) -> str:
        return f"{self.chance.randrange(100, 665)}-{self.chance.randrange(10, 99)}-{self.chance.randrange(1000, 9999)}"

    def jwt(self) -> str:
        body = base64.urlsafe_b64encode(f'{{"sub":"{self.word()}"}}'.encode()).decode().rstrip("=")
        return f"eyJhbGciOiJIUzI1NiJ9.{body}.{self.token(43)}"

    def api_key(self) -> str:
        return f"sk-proj-{self.token(40)}"

    def ip(self) -> str:
        return f"{self.chance.randrange(60, 99)}.{self.chance.randrange(20, 250)}.{self.chance.randrange(20, 250)}.{self.chance.randrange(20, 250)}"

    def mac(self) -> str:
        return ":".join(f"{self.chance.randrange(16, 255):02x}" for _ in range(6))

    def uuid(self) -> str:
        h = f"{self.chance.getrandbits(128):032x}"
        return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:]}"

    def chat(self) -> str:
        return self.chance.choice(
            [
                f"I cannot sleep since {self.word()} left me and I am {self.word()}",
                f"my brother {self.word().capitalize()} hurt me when we lived in {self.word().capitalize()}",
                f"please never tell {self.word().capitalize()} that I feel {self.word()} again",
            ]
        )


def _kinds(make: _Maker) -> dict[str, tuple[Callable[[], str], list[str]]]:
    return {
        "email": (make.email, ["mail to {} bounced", "user {} is unknown", "could not notify {}"]),
        "name": (
            make.person,
            ["my name is {}", "welcome back, {}!", "player name: {}", "user_name={} joined"],
        ),
        "username": (make.word, ["username={} logged in", "login failed for user '{}'"]),
        "phone": (make.phone, ["calling {} failed", "sms to {} was sent"]),
        "card": (make.card, ["card {} was declined", "payment with {} failed"]),
        "iban": (make.iban, ["transfer to {} failed", "account {} is closed"]),
        "national_id": (make.national_id, ["ssn {} is on file", "patient with SSN {} is unknown"]),
        "jwt": (make.jwt, ["token {} has expired", "Authorization: Bearer {}"]),
        "api_key": (make.api_key, ["invalid api key {}", "provider refused key {}"]),
        "bearer": (lambda: make.token(32), ["Authorization: Bearer {}"]),
        "credential": (lambda: make.token(14), ["password={} is wrong", "passwd: {}"]),
        "ip": (make.ip, ["connection from {} refused", "client {} timed out"]),
        "mac": (make.mac, ["device {} was paired", "no lease for {}"]),
        "home_directory": (
            make.word,
            ["cannot open /home/{}/notes.txt", "C:\\Users\\{}\\save.db is locked"],
        ),
        "uuid": (make.uuid, ["session {} expired", "no such player {}"]),
        "url_secret": (
            lambda: make.token(24),
            ["GET https://api.example.com/v1/x?token={} failed"],
        ),
        "record": (lambda: f"MRN-{make.digits(9)}", ["patient {} was not found"]),
        "chat": (make.chat, ["{}"]),
    }


def canaries(seed: int = 20_261_125, per_kind: int = PER_KIND) -> list[Canary]:
    """All kinds, interleaved, so that any slice holds every kind."""
    make = _Maker(seed)
    kinds = _kinds(make)
    return [
        _canary(kind, text_of(), sentences[number % len(sentences)])
        for number in range(per_kind)
        for kind, (text_of, sentences) in kinds.items()
    ]


def _canary(kind: str, text: str, sentence: str) -> Canary:
    return Canary(kind, text, sentence.format(text), tuple(dict.fromkeys(_needles(kind, text))))


def _needles(kind: str, text: str) -> Iterator[str]:
    yield text
    if kind in {"name", "email"}:
        yield text.split("@", maxsplit=1)[0]
        yield from text.split("@", maxsplit=1)[0].replace(".", " ").split()
    if kind == "chat":
        yield from (word for word in text.replace(",", "").split() if len(word) > 7)
    if kind in {"phone", "card"}:
        yield "".join(c for c in text if c.isdigit())
    if kind == "jwt":
        yield from text.split(".")[1:]
