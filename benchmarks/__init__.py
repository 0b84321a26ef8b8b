"""How fast the machine is: absolute figures, and ratios to a bare coroutine send in the same run. `make bench` prints them."""
