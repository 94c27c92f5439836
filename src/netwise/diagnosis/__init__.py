"""Diagnosis: rules over a history, and the report of what they find."""
