"""Alerts as pages draw them: what one says, its buttons, which stand below which."""
