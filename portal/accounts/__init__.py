"""People: who they are, how they sign in, which rules they agreed to."""
