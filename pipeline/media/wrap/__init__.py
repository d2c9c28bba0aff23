"""A finished MP4 of ours into other containers: packets and times stay, only what is around them changes."""
