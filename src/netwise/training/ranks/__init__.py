"""One model on several processes: who computes which rows, and what they tell each other."""
