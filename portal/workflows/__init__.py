"""What admins decide about statuses and moves."""
