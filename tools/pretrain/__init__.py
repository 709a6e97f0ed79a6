"""Makes the embedded model from the corpus."""
