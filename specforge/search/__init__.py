"""Searches for better values: a spec with a `search` section -> many runs, and the spec of the best one.

    space -> sampling -> trial (a run each) -> chains (which of them count) -> ranking -> result, report

`owners` sees to it that no trial is lost when a process dies, `worker` takes one after another, `parallel` starts
several, `run` is all of it. Optuna draws, prunes and stores; it is imported late, by those who use it.
"""
