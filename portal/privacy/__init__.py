"""Privacy: taking one's data along, and being erased."""
