"""Pages that belong to no feature: rules, privacy, how we decide, health."""
