"""Any file to RGB pixels at the encoder's size, fast."""
