"""Single calls as pages draw them: the slow and failed of a minute, and one trace with all that is known."""
