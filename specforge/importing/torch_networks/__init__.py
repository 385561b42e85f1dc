"""Networks of torch -> `Network`: what a module computes, followed on torch's `meta` device.

The only part of the import that needs torch, which it imports in functions.
"""
