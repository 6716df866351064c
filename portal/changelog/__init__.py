"""The changelog: what came out, which ideas began it, and who is thanked."""
