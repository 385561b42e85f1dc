"""A language server: what `validate`, `explain`, `summary` and `fmt` know of a spec, in an editor while it is typed.

In: LSP messages on standard input, with the texts that an editor holds. Out: findings, hovers, completions, places of
definitions, outlines, fixes and layouts on standard output. No torch.

`text` and `loose` read what may be broken, `places` says what stands under the cursor, `slots` what may stand there;
`documents` keeps open files and what is known of them; `reporting`, `hover`, `completion`, `definition`, `symbols` and
`fixes` answer; `server` talks.

Everything but `start` needs the extra `lsp`.
"""

__all__ = ["PACKAGE", "start"]

PACKAGE = "pygls"


def start() -> int:
    """Serve until the editor says `exit` or closes the pipe; gives the exit code.

    Raises `ImportError` without pygls.
    """
    from specforge.lsp.server import serve

    return serve()
