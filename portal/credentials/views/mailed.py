"""Links and codes sent by mail: signing in, signing up, another password, another address."""
