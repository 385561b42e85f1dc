"""The catalogue's mixes; each public class is a word (see `specforge list`)."""
