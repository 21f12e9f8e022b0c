"""Whether anything arrives: since a page last looked, and since the home was made."""
