"""Who may do what: roles, the policy of rights, accounts, sessions, links, tokens.

Here: deciding who somebody is and whether they may. Not here: HTTP and pages (`streamlit_app/sign_in`,
`live_tail/http`), what was done (`privacy/audit`).
"""
