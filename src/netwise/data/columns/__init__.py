"""Columns of a table as inputs of a network: one file for each kind of column.

Each encoder of a column is a frozen value that was fitted to the training part and is saved as
plain values. It works in two halves: `numbers` reads cells, and `computed` makes inputs of these
numbers by torch alone, so that an exported file computes the same.
"""
