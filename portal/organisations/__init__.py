"""Who is behind an idea: organisations and segments, votes on behalf, and how honestly a number counts."""
