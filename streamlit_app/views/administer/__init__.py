"""What people sign, set and take away; their own account; the components in every state (`gallery`)."""
