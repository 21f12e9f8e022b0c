"""Whether all is well: what `status` and `doctor` look at.

Here: judgements over the home and its processes. Not here: starting and stopping (`tta_monitor/running`).
"""
