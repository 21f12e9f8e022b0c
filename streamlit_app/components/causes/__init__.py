"""What the Alerts page is made of: a cause with its curve, one alert with its life, silences, what is over.

Here: drawing. Not here: what an alert says and its buttons (`components/alerts`), which the banner has too.
"""
