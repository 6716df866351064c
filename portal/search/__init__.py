"""Finding ideas: by words, and those that resemble another one."""
