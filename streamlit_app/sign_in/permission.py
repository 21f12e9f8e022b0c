"""The check that every page makes: who looks, and whether the role may.

Here: the session behind a page, refusing on the server, the banner of break-glass. Not here: HTTP (`door`)
and the policy (`privacy/access/access_policy`). Hiding a page in the navigation is no access control.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import streamlit as st

from privacy.access.access_policy import ADMINISTRATOR, Forbidden, Principal, Right
from privacy.access.sessions import Session
from streamlit_app.sign_in import doorman


def session() -> Session | None:
    """The session of whoever looks, read anew each time: it may have ended."""
    return _found(_secret())


def who() -> Principal | None:
    """Whoever looks; everybody is the owner where sign-in is off."""
    return _who(_secret())


def _secret() -> object:
    return st.session_state.get(doorman.COOKIE) or st.context.cookies.get(doorman.COOKIE)


def _found(secret: object) -> Session | None:
    return doorman.identities().sessions.find(secret) if isinstance(secret, str) else None


def _who(secret: object) -> Principal | None:
    if doorman.is_open():
        return ADMINISTRATOR
    found = _found(secret)
    return found.who if found else None


def page(name: str) -> Principal:
    """Go on only when the page may be seen; else say why and stop. First line of every page."""
    seen_by = who()
    if seen_by is None:
        st.info("Your session has ended.", icon=":material/lock:")
        st.markdown('<a href="/sign-in" target="_self">Sign in</a>', unsafe_allow_html=True)
        st.stop()
    require(seen_by, Right.PAGE, name)
    return seen_by


def require(seen_by: Principal, right: Right, name: str, **details: str) -> None:
    """Stop the page, with an audit entry, when the role may not."""
    try:
        doorman.guard().require(seen_by, right, name, **details)
    except Forbidden as problem:
        st.warning(str(problem).capitalize(), icon=":material/lock:")
        if right is Right.PAGE:
            # With one page of their own people see no navigation.
            st.markdown(
                '<a href="/account" target="_self">Account</a> · '
                '<a href="/sign-out" target="_self">Sign out</a>',
                unsafe_allow_html=True,
            )
        st.stop()


def require_of_viewer(right: Right, name: str, **details: str) -> Principal:
    """Like `require`, for what a page reads or does; returns who asked."""
    seen_by = who()
    if seen_by is None:
        st.stop()
    require(seen_by, right, name, **details)
    return seen_by


@contextmanager
def acting(name: str, *refusals: type[Exception], **details: str) -> Iterator[Principal]:
    """Around what somebody does: stops when the role may not; the entry says how it went.

    `refusals` are the errors that mean that it was not done, with a reason for the person.
    """
    seen_by = who()
    if seen_by is None:
        st.stop()
    require(seen_by, Right.ACTION, name, **details)
    with doorman.guard().acting(seen_by, name, *refusals, **details):
        yield seen_by


def acting_later(name: str) -> Callable[..., AbstractContextManager[None]]:
    """Like `acting`, for what is done after the page was drawn and outside of its run.

    Whoever looks is known now, the session is looked up anew then. What it gives takes the
    details of the entry, and raises Forbidden.
    """
    secret = _secret()

    def act(**details: str) -> AbstractContextManager[None]:
        seen_by = _who(secret)
        if seen_by is None:
            raise Forbidden("your session has ended: sign in again.")
        return doorman.guard().acting(seen_by, name, **details)

    return act


def may_read(right: Right, name: str) -> bool:
    """Whether a part of a page that nobody asked for is drawn."""
    seen_by = who()
    return seen_by is not None and doorman.guard().allows(seen_by, right, name)


def may_open(name: str) -> bool:
    """Whether the navigation shows a page."""
    return may_read(Right.PAGE, name)


def banner() -> None:
    """What is unusual about this session: break-glass, or no sign-in at all."""
    if doorman.is_open():
        st.caption(":material/lock_open: Sign-in is off: everybody on this machine is admin.")
        return
    found = session()
    if found and found.break_glass_until:
        until = found.break_glass_until
        st.warning(
            f"Break-glass access until {until:%H:%M} UTC. Everything you open is in the audit log.",
            icon=":material/emergency:",
        )
