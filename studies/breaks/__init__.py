"""How far a parameter must move before a claim flips."""
