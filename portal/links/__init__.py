"""Links between ideas: what belongs together, what follows from what, and which solutions stand under which need."""
