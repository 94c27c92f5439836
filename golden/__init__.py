"""The golden comparison: two commits train the same small recipes, and what differs is printed."""
