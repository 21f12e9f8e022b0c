"""Command groups of `./tta.sh monitor`: one module per group of verbs, imported by `cli`.

Here: arguments, printing and exit codes of `privacy …`, `retention …`, `access …`, `keys …`,
`alerts …`, `errors …`. Not here: what they do, which lives in the package that owns it.
"""
