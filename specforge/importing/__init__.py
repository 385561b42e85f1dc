"""Networks of other tools -> specs."""
