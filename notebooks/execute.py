"""Execute the notebooks and put the executed copies, outputs and all, into a folder.

    python notebooks/execute.py [-o DIR] [NOTEBOOK…]

The notebooks themselves are kept without outputs: small, and the same whoever ran them last. A
cell that fails, or that writes to stderr (a warning), ends the run.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).resolve().parent
TIMEOUT_S = 300


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notebooks", nargs="*", type=Path, default=sorted(HERE.glob("*.ipynb")))
    parser.add_argument("-o", "--out", type=Path, default=HERE.parent / "build" / "notebooks")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    for path in given.notebooks:
        executed = execute(path)
        nbformat.write(executed, given.out / path.name)
        warned = stderr_of(executed)
        if warned:
            sys.exit(f"{path.name} wrote to stderr:\n{warned}")
        sys.stdout.write(f"{path.name} → {given.out / path.name}\n")


def execute(path: Path) -> nbformat.NotebookNode:
    """Return the notebook with its outputs, run in its own folder by this very Python."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=TIMEOUT_S,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(path.parent)}},
        extra_arguments=["--HistoryManager.enabled=False", "--log-level=ERROR"],
    )
    return client.execute()


def stderr_of(notebook: nbformat.NotebookNode) -> str:
    """Return all that the cells wrote to stderr."""
    return "".join(
        output["text"]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.get("name") == "stderr"
    )


if __name__ == "__main__":
    main()
