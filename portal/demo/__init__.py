"""The demo: a community of walkers around the made-up product Fellside, to click through and to test with."""
