"""What the Privacy page is made of."""
