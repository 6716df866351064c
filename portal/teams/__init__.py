"""Teams: groups of colleagues who look after ideas together."""
