"""`python -m netwise` is `netwise`."""

from netwise.cli import main

if __name__ == "__main__":
    main()
