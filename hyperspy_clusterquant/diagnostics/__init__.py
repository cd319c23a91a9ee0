"""Is it real? Significance, agreement of clusterings, statistics of maps."""
