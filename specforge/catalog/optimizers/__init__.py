"""The catalogue's optimizers; each public class is a word (see `specforge list`)."""
