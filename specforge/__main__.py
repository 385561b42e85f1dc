"""`python -m specforge`, which is how `torchrun -m specforge` starts it."""

from specforge.cli import main

if __name__ == "__main__":
    main()
