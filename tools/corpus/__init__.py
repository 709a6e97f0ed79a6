"""The grammar behind the embedded corpus: stories and exchanges, each in two styles."""
