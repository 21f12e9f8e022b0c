"""What the Overview page is made of: the verdict of a home with data, the first steps of one without."""
