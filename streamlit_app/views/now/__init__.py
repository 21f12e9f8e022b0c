"""What is the matter at this moment: verdict, tail, alerts. Not here: why (`operate`)."""
