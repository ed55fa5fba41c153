"""A pack: every paper, every gap and every measure of one release, and one line that says if it is ready.

`prepare` makes it in memory. `write` puts it into the folder `pack` beside the run: whole or not at all, and
never over a file that somebody has changed.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from course.assess.ladder import LABEL
from course.data import DataError
from course.release import croissant, gaps, measures, papers, reading, record, word
from course.release.facts import facts
from course.release.measures import Measure

FOLDER, SUMMARY = "pack", "pack.json"


@dataclass(frozen=True)
class Pack:
    """One release: its papers, what was measured, and what only a person can say."""

    release: record.Release
    papers: list[papers.Paper]
    index: papers.Paper
    measures: list[Measure]
    answers: dict[str, str]  # every question that is asked, with its answer
    metadata: dict | None  # Croissant; None where a file is missing

    @property
    def files(self) -> list[str]:
        """The names of the released files: one table, or the people's and those linked to it."""
        return [file.released for file in self.release.files]

    @property
    def gaps(self) -> list[str]:
        """The questions without an answer."""
        return [question for question, answer in self.answers.items() if not gaps.filled(answer)]

    @property
    def failing(self) -> list[Measure]:
        return [one for one in self.measures if not one.passed]

    @property
    def ready(self) -> bool:
        return not self.gaps and not self.failing

    @property
    def status(self) -> str:
        return status(len(self.gaps), len(self.failing))


def status(open_gaps: int, failing: int) -> str:
    """The first line of everything in the pack."""
    if not open_gaps and not failing:
        return "READY: no gap is open and no measure fails. The person named in it decides."
    many = f"{open_gaps} gap{'s' if open_gaps != 1 else ''} to fill"
    return f"NOT READY: {many}, {failing} measure{'s fail' if failing != 1 else ' fails'}"


def prepare(run: dict, answers: dict[str, str] | None = None, folder: Path | str | None = None) -> Pack:
    """Make the pack of a run, given as a dict, with the answers that people gave to its gaps.

    `folder` is where the run's files are; without it no file can be checked for its label, so the pack is not
    ready. Raises DataError, in one sentence, for a record that cannot be used.
    """
    folder, answers = Path(folder) if folder else None, dict(answers or {})
    release = record.choose(record.checked(run), folder)
    found = measures.measures(release)
    known = facts(release, found, answers)
    described, about_it = _described(release, known, answers)
    found += [*about_it, _easy(release, found)]
    # The status stands in some papers, and depends on the gaps of all: so they are filled in twice.
    first = _filled(facts(release, found, answers) | {"status": ""}, answers)
    asked = {question: answers.get(question, "") for paper in first for question in paper.asked}
    line = status(
        sum(not gaps.filled(answer) for answer in asked.values()), sum(not one.passed for one in found)
    )
    known = facts(release, found, answers) | {"status": line}
    made = _filled(known, answers)
    return Pack(release, made, _index(known, made, described), found, asked, described)


def _filled(known: dict, answers: dict[str, str]) -> list[papers.Paper]:
    return [papers.fill(name, known, answers) for name in papers.PAPERS]


def _described(release, known, answers) -> tuple[dict | None, list[Measure]]:
    """The metadata, and the measures of it: does the validator accept them, and do they carry the label?"""
    name, why = "Croissant metadata that its validator accepts", "A file to describe is missing."
    described = None
    if all(file.content is not None for file in release.files):
        try:
            described = croissant.metadata(release, known, answers)
            why = croissant.refused(described)
        except Exception as error:  # the library raises what it likes for a table it cannot describe
            why = " ".join(str(error).split())
    words = "The validator of mlcroissant accepts croissant.json." if why is None else f"It is refused: {why}"
    told = bool(described) and described["description"].startswith(LABEL[1])
    label = "croissant.json begins its description with it." if told else "croissant.json does not carry it."
    return described, [
        Measure("structure", name, why is None, words),
        Measure("labelling", "A label in the metadata", told, label),
    ]


def _easy(release, found) -> Measure:
    """Whether the public summary is easy to read. Names and answers that people typed are not counted."""
    known = {**facts(release, found, {}), "name": "made-up data", "status": ""}
    bare = papers.fill("summary", known, {}).markdown
    for question in papers.fill("summary", known, {}).asked:
        bare = bare.replace(f"**{papers.GAP} {papers.text(question)}**", "")
    hard = reading.grade(reading.plain(bare))
    words = f"Flesch-Kincaid grade {hard:.1f}; {reading.HARDEST:.0f} is the most, about age eleven."
    return Measure("documentation", "A public summary that is easy to read", hard <= reading.HARDEST, words)


def _index(known: dict, made: list[papers.Paper], described: dict | None) -> papers.Paper:
    """The first page of the pack."""
    wanting: dict[str, list[str]] = {}
    for paper in made:
        for question in paper.gaps:
            wanting.setdefault(question, []).append(paper.title.partition(":")[0])
    version = (described or {}).get("conformsTo", "").rpartition("/")[2] or "1.0"
    words = "Its validator accepts it." if described else "It was not made."
    more = {"open_gaps": wanting, "papers": made, "croissant_version": version, "croissant_words": words}
    return papers.fill("index", {**known, **more}, {})


# ------------------------------------------------------------------------------ into a folder


def write(folder: Path | str) -> Pack:
    """Write the pack of a run's folder into its folder `pack`, and return it.

    `gaps.json` is made if need be, and no answer in it is lost. Raises DataError, in one sentence, where the
    record or the answers cannot be used, or where somebody changed a file of an earlier pack.
    """
    folder = Path(folder)
    run, answers = record.read(folder), gaps.load(folder)
    pack = prepare(run, answers, folder)
    _untouched(folder / FOLDER)
    gaps.keep(folder, list(pack.answers))
    _put(folder, _files(pack))
    return pack


def _files(pack: Pack) -> dict[str, bytes]:
    """Every file of the pack, by name; the summary for machines, which lists the others, comes last."""
    found = {"index.html": pack.index.html(pack.status).encode()}
    for paper in pack.papers:
        found[f"{paper.name}.html"] = paper.html(pack.status).encode()
        found[f"{paper.name}.docx"] = word.document(paper, pack.status)
    for file in pack.release.files:
        if file.content is not None:
            found[file.released] = file.content
    if pack.metadata is not None:
        found["croissant.json"] = _json(pack.metadata)
    listed = {name: hashlib.sha256(content).hexdigest() for name, content in found.items()}
    return {**found, SUMMARY: _json(summary(pack) | {"files": listed})}


def summary(pack: Pack) -> dict:
    """The pack for machines: status, failing measures, gaps, papers and every figure."""
    release = pack.release
    known = {key: value for key, value in release.run.items() if key != "generators"}
    return {
        "status": pack.status,
        "ready": pack.ready,
        "written": datetime.date.today().isoformat(),
        "failing": [asdict(one) for one in pack.failing],
        "gaps": pack.gaps,
        "papers": {
            paper.name: {
                "title": paper.title,
                "readers": paper.readers,
                "asks": paper.asked,
                "gaps": paper.gaps,
            }
            for paper in pack.papers
        },
        "answers": pack.answers,
        "measures": [asdict(one) for one in pack.measures],
        "generator": release.generator,
        "chosen by": release.chosen_by,
        "table": release.made,
        "run": known,
    }


def _json(content: dict) -> bytes:
    return (json.dumps(content, indent=1, ensure_ascii=False, default=str) + "\n").encode()


def _untouched(place: Path) -> None:
    """Raise DataError if a folder holds anything that is not as the last pack was written."""
    if not place.exists():
        return
    try:
        listed = json.loads((place / SUMMARY).read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError):
        raise DataError(f"{place} is not a pack of this command. Move it away, and run again.") from None
    for path in sorted(place.iterdir()):
        if path.name == SUMMARY:
            continue
        if path.name not in listed or not path.is_file():
            raise DataError(f"{path} was not written by this command. Move it away, and run again.")
        if hashlib.sha256(path.read_bytes()).hexdigest() != listed[path.name]:
            raise DataError(
                f"{path} was changed by somebody. Keep it elsewhere, or put the words into {gaps.NAME}; then "
                f"delete it and run again."
            )


def _put(folder: Path, files: dict[str, bytes]) -> None:
    """Put the files into a folder beside the old pack, then let it take that one's place."""
    place, new, old = (folder / name for name in (FOLDER, f"{FOLDER}.unfinished", f"{FOLDER}.old"))
    for left in (new, old):  # by a run that was stopped
        shutil.rmtree(left, ignore_errors=True)
    new.mkdir()
    for name, content in files.items():
        (new / name).write_bytes(content)
    if place.exists():
        place.rename(old)
    new.rename(place)
    shutil.rmtree(old, ignore_errors=True)
