"""What the marts know beyond the day: free questions. Not here: running the platform (`operate`)."""
