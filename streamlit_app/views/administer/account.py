"""Account: who is signed in, until when, and lending a role in an emergency."""

import streamlit as st

from privacy.access.access_policy import Principal, Right, Role
from privacy.access.accounts import AccountProblem
from streamlit_app.components import frame
from streamlit_app.sign_in import doorman, permission

_BREAK_GLASS = "access.break_glass"


def main() -> None:
    """Draw the page."""
    seen_by = permission.page("account")
    frame.page("account", "Account", has_range=False)
    session = permission.session()
    with st.container(border=True):
        roles = ", ".join(sorted(r.value.replace("_", " ") for r in seen_by.roles))
        st.markdown(f"**Signed in as** {seen_by.id}  \n**Roles** {roles}")
        if session:
            st.caption(f"The session ends at {session.expires_at:%Y-%m-%d %H:%M} UTC.")
            st.markdown('<a href="/sign-out" target="_self">Sign out</a>', unsafe_allow_html=True)
    if doorman.guard().allows(seen_by, Right.ACTION, _BREAK_GLASS):
        _break_glass(seen_by)


def _break_glass(seen_by: Principal) -> None:
    with st.form("break-glass", clear_on_submit=True):
        st.markdown("**Break-glass: lend a role for a while**")
        name = st.text_input("User name", help="Or the id on the Account page of whoever has none.")
        role = st.selectbox("Role", [r.value for r in Role])
        minutes = st.number_input("Minutes", 1, 480, 30)
        reason = st.text_input("Reason", help="Scrubbed, then kept in the audit log.")
        if not st.form_submit_button("Lend the role"):
            return
    identities = doorman.identities()
    try:
        with permission.acting(_BREAK_GLASS, AccountProblem):
            holder = identities.sessions.holder(name)
            if holder is None:
                raise AccountProblem("there is no such user.")
            until = identities.break_glass.lend(
                holder, Role(role), reason=reason, minutes=minutes, by=seen_by.id
            )
    except AccountProblem as problem:
        st.error(str(problem).capitalize())
        return
    st.success(f"{holder} has {role} until {until:%H:%M} UTC.")


main()
