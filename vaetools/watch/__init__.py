"""A fitted model at work, day after day: whether what comes still looks like what it was made for."""
