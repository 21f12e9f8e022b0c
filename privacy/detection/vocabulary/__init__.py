"""What every recogniser starts from: word lists, the form of a finding, labels of models.

Here: data and lookups without a judgement. Not here: shapes of values (`privacy/detection/shapes`) and
what a text means (`privacy/detection/texts`).
"""
