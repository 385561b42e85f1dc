"""The catalogue's initializers; each public class is a word (see `specforge list`)."""
