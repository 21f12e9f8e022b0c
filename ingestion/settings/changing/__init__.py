"""The settings of a home as people look at them and change them: origins, one section as text.

Here: reading and writing `config.yaml` by its lines. Not here: what a setting is and may be (the modules of
`ingestion/settings`), who may change one (`privacy/access`), the page.
"""
