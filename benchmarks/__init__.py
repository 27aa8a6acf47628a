"""Speed and memory, as ratios and rates of one run. `make bench`."""
