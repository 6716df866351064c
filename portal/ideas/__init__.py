"""Ideas: what people need, who is behind it and where it stands."""
