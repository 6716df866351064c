"""The timeline: everything that happened to an idea, in order, as far as its reader may know."""
