"""Outside opinions on a photo."""
