"""What the team says among itself: notes on ideas, drafts of answers with their review, and wording kept for reuse."""
