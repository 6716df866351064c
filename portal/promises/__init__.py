"""What the team promised and how it kept it: shown on ideas and in numbers, renewed, and late ones told of."""
