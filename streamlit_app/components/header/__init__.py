"""What every page begins with: banner, title, time range, comparison, filters, refresh, search."""
