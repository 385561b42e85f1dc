"""The catalogue's schedules; each public class is a word (see `specforge list`)."""
