"""The catalogue's augmentations; each public class is a word (see `specforge list`)."""
