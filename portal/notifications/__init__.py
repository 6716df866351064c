"""Notifications: everybody behind an idea hears what became of it, once, with the reason."""
