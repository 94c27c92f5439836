"""Short paired trials on copies of a program: they prove or clear what signals leave open.

A trial trains a copy of the module for some steps on batches that the observer kept, with one thing
changed, and compares what it reaches with the state in which the program ended.
"""
