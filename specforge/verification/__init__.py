"""A run's folder -> whether all of its files are what was written, and agree with each other. Nothing is executed.

verify(Path("runs/lab2")).is_intact
"""

from specforge.verification.findings import Finding, Verification
from specforge.verification.run import NotARun, verify

__all__ = ["Finding", "NotARun", "Verification", "verify"]
