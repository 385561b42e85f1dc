"""The catalogue's datasets; each public class is a word (see `specforge list`)."""
