"""`python -m resbench` is the `resbench` command."""

from resbench.cli.main import main

if __name__ == "__main__":
    main()
