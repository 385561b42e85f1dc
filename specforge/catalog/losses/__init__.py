"""The catalogue's losses; each public class is a word (see `specforge list`)."""
