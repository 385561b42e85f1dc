"""The catalogue's layers; each public class is a word (see `specforge list`)."""
