"""Private labels: words of the team beside the tags, which nobody else ever reads."""
