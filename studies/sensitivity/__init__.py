"""Which parameters matter: screening, shares of variance, distances of distributions."""
