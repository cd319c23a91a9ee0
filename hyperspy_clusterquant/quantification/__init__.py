"""From a cluster's spectrum to its composition: peaks, k-factors, Cliff-Lorimer, uncertainty."""
