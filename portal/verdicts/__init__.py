"""Asking afterwards: those who asked for something say whether what came solves their need."""
