"""What people looked for, as the team sees it."""
