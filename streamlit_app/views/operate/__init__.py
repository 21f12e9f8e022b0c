"""Where time goes and what fails: calls, traces, errors, lines. Not here: whether somebody must act (`now`)."""
