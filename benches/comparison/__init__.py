"""The scenarios of benches/compare.py, and what they share."""
