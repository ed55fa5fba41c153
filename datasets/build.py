"""Build the bundled data sets: tables, control tables, hashes and cards.

    python datasets/build.py            write everything
    python datasets/build.py --check    build in a temporary folder and compare the bytes
    python datasets/build.py claims     only the data sets named

Each data set is simulated by its own `simulate.py`. This file only writes what it returns:
the CSV tables, the rows, bytes and hash of each in `datapackage.json`, and the card README.md.
"""

import argparse
import hashlib
import json
import sys
import tempfile
from pathlib import Path

import pandas as pd

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import simulation  # noqa: E402  (it lives beside this file)


def names():
    """The data sets there are: the folders with a simulate.py."""
    return sorted(path.parent.name for path in HERE.glob("*/simulate.py"))


def simulate(name):
    """The whole population and its two parts, as the package describes them."""
    module = simulation.load(name)
    design = simulation.read(name)
    seed = design.package["sampling"]["seed"]
    population = module.population(seed=seed)
    return design, population, module.parts(population, seed)


# ---------------------------------------------------------------- Writing


def write_table(table, columns, path):
    """Write a table as CSV with LF line ends, columns in the order of the schema.

    Returns the three facts the package keeps of a file: rows, bytes and hash.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    text = table[columns].to_csv(index=False, lineterminator="\n", date_format="%Y-%m-%d")
    content = text.encode("utf-8")
    path.write_bytes(content)
    return {
        "rows": len(table),
        "bytes": len(content),
        "hash": "sha256:" + hashlib.sha256(content).hexdigest(),
    }


def compact(value, indent=0, width=110):
    """JSON that keeps short objects and lists on one line, so that people can read and edit it."""
    line = json.dumps(value, ensure_ascii=False)
    if len(line) + indent <= width or not isinstance(value, dict | list) or not value:
        return line
    pad = " " * (indent + 1)
    if isinstance(value, list):
        items = [compact(item, indent + 1, width) for item in value]
        return "[\n" + ",\n".join(pad + item for item in items) + "\n" + " " * indent + "]"
    items = [
        f"{json.dumps(key)}: {compact(item, indent + 1, width - len(key) - 4)}" for key, item in value.items()
    ]
    return "{\n" + ",\n".join(pad + item for item in items) + "\n" + " " * indent + "}"


def sources(name):
    """The publications a data set is calibrated to, each once, in the order of calibration.yaml."""
    found = {}
    for figure in simulation.calibration():
        if figure["calibrates"]["dataset"] == name:
            found[figure["source"]["path"]] = figure["source"]["title"]
    return [{"title": title, "path": path} for path, title in found.items()]


def build(name, folder):
    """Build one data set into `folder`. Only files that the build owns are written."""
    design, population, parts = simulate(name)
    package = design.package
    package["sources"] = sources(name)
    for resource in package["resources"]:
        columns = [field["name"] for field in resource["schema"]["fields"]]
        table, control = (parts[part][resource["name"]] for part in ("training", "control"))
        resource.update(write_table(table, columns, folder / resource["path"]))
        resource["control"].update(write_table(control, columns, folder / resource["control"]["path"]))
    (folder / "datapackage.json").write_text(compact(package) + "\n", encoding="utf-8", newline="\n")
    text = card(package, population, parts["training"])
    (folder / "README.md").write_text(text, encoding="utf-8", newline="\n")


# ---------------------------------------------------------------- Published against simulated


def simulated_values(figure, tables):
    """What the simulated tables say where `figure` says what was published: {code: value}.

    The key is the empty string for a figure of one value.
    """
    how = figure["calibrates"]
    table = tables[how["table"]]
    for parent in how.get("join", []):
        table = table.merge(tables[parent], how="left")
    if "where" in how:
        table = table[table.eval(how["where"], engine="python")]
    if how["statistic"] == "rate":
        return {code: 100 * table[code].sum() / table[how["per"]].sum() for code in figure["values"]}
    column = table[how["column"]]
    if how["statistic"] == "share":
        weight = table[how["weight"]] if "weight" in how else pd.Series(1, index=table.index)
        total = weight[column.notna()].sum()
        return {code: 100 * weight[column == code].sum() / total for code in figure["values"]}
    if how["statistic"] == "gap":
        medians = column.groupby(table[how["by"]]).median()
        return {"": 100 * (1 - medians[how["below"]] / medians[how["above"]])}
    return {"": getattr(column.astype(float), how["statistic"])()}


def calibration_table(name, population, training):
    """One row for each published value: figure, code, published, population, training, tolerance."""
    rows = []
    for figure in simulation.calibration():
        if figure["calibrates"]["dataset"] != name:
            continue
        published = figure["values"] if isinstance(figure["values"], dict) else {"": figure["values"]}
        whole, part = simulated_values(figure, population), simulated_values(figure, training)
        for code, value in published.items():
            rows.append((figure["id"], code, value, whole[code], part[code], figure["tolerance"]))
    return pd.DataFrame(rows, columns=["figure", "code", "published", "population", "training", "tolerance"])


# ---------------------------------------------------------------- The card


def card(package, population, training):
    """The data set card, in Markdown."""
    return f"# {package['title']}\n\n{package['simulated']}\n"


# ---------------------------------------------------------------- Commands


def differences(name, folder):
    """Files of a data set that are not, byte for byte, what the build writes."""
    build(name, folder)
    built = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    kept = {path.relative_to(folder): HERE / name / path.relative_to(folder) for path in built}
    return [
        f"{name}/{part}"
        for part, path in kept.items()
        if not path.exists() or path.read_bytes() != (folder / part).read_bytes()
    ]


def main(arguments=None):
    """Build or check the data sets named, or all of them. Returns the exit code."""
    parser = argparse.ArgumentParser(
        description="Build the bundled data sets, or check that they are as built."
    )
    parser.add_argument("names", nargs="*", help="data sets to build; all of them when none is named")
    parser.add_argument("--check", action="store_true", help="compare with a fresh build and write nothing")
    options = parser.parse_args(arguments)
    changed = []
    for name in options.names or names():
        if not options.check:
            build(name, HERE / name)
            print(f"{name}: built")
            continue
        with tempfile.TemporaryDirectory() as folder:
            changed += differences(name, Path(folder))
    for path in changed:
        print(f"datasets/{path} is not what the build writes. Run: python datasets/build.py")
    return 1 if changed else 0


if __name__ == "__main__":
    sys.exit(main())
