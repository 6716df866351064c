"""“You said, we did, we did not”: one page for each quarter, for everybody who wants to know what became of it all."""
