"""The catalogue's distributions; each public class is a word (see `specforge list`)."""
