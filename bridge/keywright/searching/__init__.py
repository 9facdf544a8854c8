"""Words and example photos to scores of photos: arrays in, arrays out, no files and no store."""
