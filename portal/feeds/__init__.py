"""What happens here, for readers of feeds: in public, and for one person behind a secret address."""
