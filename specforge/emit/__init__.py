"""Graph -> text that others read: a Python file, a Mermaid diagram, a DOT graph. Nothing here needs torch."""
