"""What people decide from the app: one guarded function for each decision.

Here: the right, the doing, the audit entry. Not here: buttons (`streamlit_app/views`).
"""
