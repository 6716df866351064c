"""Open pages hear what changed: a stream for each, fed by the journal, and an answer for those who ask now and then."""
