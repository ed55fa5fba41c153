"""Runs labs, in the environment: all of one to store its outputs, or a slice to see that it works here."""

import argparse
import datetime
import json
import os
import re
import sys
import time
from pathlib import Path

from course.environment import ROOT
from course.files import write_whole

NOTEBOOKS = ROOT / "notebooks"
RUNS = ROOT / "book" / "lab-runs.json"


def find(names):
    """The labs to run, in order: files, or labs with one of ``names`` in their name, or every lab."""
    labs = sorted(NOTEBOOKS.glob("*.ipynb"))
    files = [Path(name).resolve() for name in names if Path(name).is_file()]
    return files or [lab for lab in labs if not names or any(name in lab.stem for name in names)]


def peak_mib():
    """The most memory this process has held, in MiB.

    Linux's own count is read where there is one: the count that ``resource`` gives starts from the memory of
    the process that started this one, so a kernel started by a large test run would look large itself.
    """
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text()).group(1)) // 1024
    if os.name == "nt":
        import psutil

        return psutil.Process().memory_info().peak_wset // 2**20
    import resource

    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, other systems KiB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit // 2**20


def store(lab):
    """Run a lab from top to bottom in its own kernel and store its outputs. Returns seconds and peak MiB.

    The file is replaced only when every cell has run. Raises nbclient's ``CellExecutionError``.
    """
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(lab, as_version=4)
    last = nbformat.v4.new_code_cell("from course.labs import peak_mib; print(peak_mib())")
    notebook.cells.append(last)
    began = time.monotonic()
    NotebookClient(
        notebook,
        timeout=600,
        record_timing=False,
        coalesce_streams=True,  # or lines printed together can end up in boxes of their own
        resources={"metadata": {"path": str(lab.parent)}},
    ).execute()
    seconds = time.monotonic() - began
    notebook.cells.remove(last)
    # A live widget is not stored: its random names would change the file at every run.
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        if "remove-output" in cell.metadata.get("tags", []):
            cell.outputs = []
    write_whole(lab, nbformat.writes(notebook) + "\n")
    return seconds, int(last.outputs[0]["text"])


def record(lab, seconds, peak):
    """Write one lab's figures to book/lab-runs.json, from which the book's status page is made."""
    runs = json.loads(RUNS.read_text(encoding="utf-8")) if RUNS.exists() else {}
    runs[lab.stem] = {
        "seconds": round(seconds, 1),
        "peak_mib": peak,
        "date": datetime.date.today().isoformat(),
    }
    RUNS.write_text(json.dumps(runs, indent=1, sort_keys=True) + "\n", encoding="utf-8", newline="\n")


def slice_of(lab):
    """The code of a lab's cells tagged ``slice``: enough to show that the lab works on this computer."""
    cells = json.loads(Path(lab).read_text(encoding="utf-8"))["cells"]
    return [
        "".join(cell["source"])
        for cell in cells
        if cell["cell_type"] == "code" and "slice" in cell["metadata"].get("tags", [])
    ]


def run_slice(lab):
    """Run a lab's slice in a kernel of its own, as JupyterLab would, and keep nothing. Returns the seconds.

    Raises nbclient's ``CellExecutionError`` for a cell that fails.
    """
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in slice_of(lab)])
    began = time.monotonic()
    NotebookClient(
        notebook, kernel_name="python3", resources={"metadata": {"path": str(lab.parent)}}
    ).execute()
    return time.monotonic() - began


def main(argv):
    """``[NAMES]`` runs labs and stores their outputs; ``--slice LAB`` runs the slice of one lab."""
    parser = argparse.ArgumentParser(
        prog="python3 -m course run", description="Run labs, store their outputs."
    )
    parser.add_argument("names", nargs="*", help="labs' file names, or parts of them (default: every lab)")
    parser.add_argument(
        "--slice", action="store_true", help="only run the cells tagged slice, and store nothing"
    )
    options = parser.parse_args(argv)
    labs = find(options.names)
    if not labs:
        print(f"No lab in {NOTEBOOKS} has a name like {' or '.join(options.names)}.")
        return 1
    for lab in labs:
        if options.slice:
            print(f"its first steps run here, in {run_slice(lab):.0f} s")
            continue
        print(f"{lab.stem}: running", flush=True)
        seconds, peak = store(lab)
        record(lab, seconds, peak)
        print(f"{lab.stem}: {seconds:.0f} s, at most {peak} MiB", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
