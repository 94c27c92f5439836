"""The five study notes that netwise implements: their outline, and what of netwise belongs to each
section."""
