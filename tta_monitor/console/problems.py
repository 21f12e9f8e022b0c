"""Errors that end a command with one sentence: the thing, the cause and the fix."""


class Problem(Exception):
    """Ends the command with its message and exit code 1 (or `code`)."""

    def __init__(self, message: str, *, code: int = 1) -> None:
        super().__init__(message)
        self.code = code
