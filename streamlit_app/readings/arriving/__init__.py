"""What arrives: one by one, whether anything did since a page last looked, and since the home was made."""
