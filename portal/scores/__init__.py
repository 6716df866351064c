"""The score of an idea: a formula that admins write, and the parts that the team gives."""
