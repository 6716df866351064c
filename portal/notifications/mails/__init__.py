"""How a letter becomes a mail, gets to a mail server, and what came of it: queued, sent, suppressed, come back."""
