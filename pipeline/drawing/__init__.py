"""Drawing: what a composite shows besides recorded pictures, as pixels: names, marks, avatars, images."""
