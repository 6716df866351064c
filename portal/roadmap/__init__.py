"""The roadmap: what is being built, what is decided, and what the team would like to do."""
