"""What every HTTP door of a home and every caller of one shares.

Here: known hosts and origins, what was turned away, tokens and secrets of services, sockets of the home,
sending to the home's own receiver. Not here: the doors themselves (`ingestion/receivers/doors`,
`live_tail/http`, `streamlit_app/sign_in`).
"""
