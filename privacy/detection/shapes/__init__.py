"""Values known by their form, whatever the text around them: formats, national ids, measures, paths.

Here: patterns with their checks. Not here: what words around a value say (`privacy/detection/texts`).
"""
