"""What data hold, before anything is trained: columns, target, parts, and what to look at first."""
