"""The catalogue, the classes of a spec and the rules -> documentation: `list`, `explain`, pages of `docs/reference`.

What is said stands in docstrings beside the code; here it is only found and laid out. Nothing imports torch.
"""
