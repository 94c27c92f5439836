"""The only code that trains: one step, run plainly, watched on some of its steps, on one machine or
many."""
