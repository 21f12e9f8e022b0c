"""Where time goes and what fails: calls, traces, errors, lines. Not here: must somebody act (`now`)."""
