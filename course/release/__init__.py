"""The papers of a release, made from the run that made the table.

    pack = write("my-folder")      # a folder of `course.assess`, with its run.json
    pack.status                    # "NOT READY: 40 gaps to fill, 2 measures fail"

- `record`: the run's one record, read and checked, and the files that are to be released.
- `measures`: what was measured, and passes or fails. `gaps`: what only a person can say.
- `facts`: the figures as words. `papers`: templates to Markdown to HTML. `word`: the same as Word files.
- `croissant`: the files described for machines. `reading`: how hard a text looks.
- `pack`: all of it together, in a folder of its own.

`python3 -m course release FOLDER` does it. `prepare` makes a pack in memory, from a run's dict.
"""

from __future__ import annotations


def write(folder):
    """Write the pack of a run's folder, and return it. See `course.release.pack.write`."""
    from course.release import pack

    return pack.write(folder)


def prepare(run, answers=None, folder=None):
    """Make a pack in memory from a run's dict. See `course.release.pack.prepare`."""
    from course.release import pack

    return pack.prepare(run, answers, folder)
