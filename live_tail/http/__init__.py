"""The live query API and its client.

Here: HTTP, and who may ask. Not here: answers (`live_tail/window/queries`), routes of alerts
(`live_tail/alerts/http`).
"""
