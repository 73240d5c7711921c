"""`python -m phusong`: the command line, where the folder of scripts is not on the path."""

from phusong.cli import main

__all__: list[str] = []

if __name__ == "__main__":
    main(prog_name="phusong")
