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


def calibration_table(name, **tables):
    """One row for each published value: figure, code, published, tolerance, and a column for each
    set of tables that is given, such as population=... and training=...
    """
    rows = []
    for figure in simulation.calibration():
        if figure["calibrates"]["dataset"] != name:
            continue
        published = figure["values"] if isinstance(figure["values"], dict) else {"": figure["values"]}
        simulated = {part: simulated_values(figure, part_tables) for part, part_tables in tables.items()}
        for code, value in published.items():
            found = {part: values[code] for part, values in simulated.items()}
            rows.append({"figure": figure["id"], "code": code, "published": value} | found)
            rows[-1]["tolerance"] = figure["tolerance"]
    return pd.DataFrame(rows)


# ---------------------------------------------------------------- The card


CARD = """\
# {title}

{description}

**{simulated}** Geography: {geography}. Period: {period}. Version: {version}. The population has
{units:,} {unit}; each part is a random sample of {size:,} of them, and none is in both.

## Load it

```python
from course import data

{name} = data.load("{name}")
{name}.training["{main}"]
{name}.control["{main}"]
```

The training part is for generators to learn from. The control part comes from the same population, and no
generator ever sees it: a privacy risk means something only beside that of people who were not used.

## Tables and keys

{tables}

{dictionaries}

## How values go missing

MCAR: missing completely at random. MAR: missing at random, given columns that are seen. MNAR: missing not
at random, because of the value itself. Some columns have a code for missing values; it is counted here.

{missing}

## Rules that hold

Every row of both parts keeps every rule. For a rule with a second table, that table is first put beside the
first by its key.

{rules}

## What is true by construction

These parameters made the data, so the result of an analysis can be compared with them. They are assumptions
of the course. Published figures stand in the next section.

{truth}

## Published and simulated

These figures are held to published ones, all of the same geography: {geography}. The tolerance is for the
population. The training part also differs by chance. Where the publication itself was not read, the table
says: to be checked.

{calibration}

## Who stands out

A few rows were made easy to recognise. They carry no mark.

{planted}

## Not for

- Findings or decisions about real people, places or firms.
- Estimates for real small areas: the areas here are invented.
- Proof that a method is safe on real data, which are stranger than these.

## Licence

The data are dedicated to the public domain under
[CC0 1.0](https://creativecommons.org/publicdomain/zero/1.0/). The published figures: Contains public sector
information licensed under the
[Open Government Licence v3.0](https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/).

## Rebuild it

```bash
python datasets/build.py {name}
python datasets/build.py --check {name}
```

The seed is {seed} and the same bytes come out each time. The build writes this page too. To change the data,
edit `datapackage.json` or `simulate.py` of this folder, or `datasets/calibration.yaml`.
"""


def card(package, population, training):
    """The data set card: a Markdown page for GitHub and the book, all of it from the package or computed."""
    sampling = package["sampling"]
    said = {key: package[key] for key in ("name", "title", "description", "simulated", "main")}
    return CARD.format(
        **said,
        geography=package["geography"],
        period=package["period"],
        version=package["version"],
        unit=sampling["unit"],
        units=len(population[sampling["unit"]]),
        size=sampling["size"],
        seed=sampling["seed"],
        tables=tables_and_keys(package),
        dictionaries="\n\n".join(dictionary(resource) for resource in package["resources"]),
        missing=missing_values(package, training),
        rules=rules(package),
        truth=true_parameters(package),
        calibration=calibration_rows(package, population, training),
        planted="\n".join(f"- {text}" for text in package["planted"]),
    )


def markdown_table(header, rows):
    """A Markdown table. Line breaks and upright bars inside cells would break it, so they are replaced."""
    clean = [[str(cell).replace("|", "\\|").replace("\n", " ") for cell in row] for row in [header, *rows]]
    lines = ["| " + " | ".join(row) + " |" for row in clean]
    return "\n".join([lines[0], "|" + " --- |" * len(header), *lines[1:]])


def tables_and_keys(package):
    rows = []
    for resource in package["resources"]:
        links = [
            f"`{', '.join(key['fields'])}` to {key['reference']['resource']}"
            for key in resource["schema"].get("foreignKeys", [])
        ]
        key = ", ".join(f"`{column}`" for column in resource["schema"]["primaryKey"])
        size = f"{resource['rows']:,}", f"{resource['control']['rows']:,}"
        rows.append((f"`{resource['name']}`", resource["description"], *size, key, "; ".join(links)))
    header = ("Table", "One row", "Rows, training", "Rows, control", "Key", "Links")
    return markdown_table(header, rows)


def dictionary(resource):
    """The columns of one table, then its code lists."""
    fields = resource["schema"]["fields"]
    rows = [
        (f"`{field['name']}`", field["type"], field["role"], _described(field), _limits(field))
        for field in fields
    ]
    codes = [
        (f"`{field['name']}`", f"`{code['value']}`", code["label"])
        for field in fields
        for code in field.get("categories", [])
    ]
    text = [
        f"## Columns of {resource['name']}",
        markdown_table(("Column", "Type", "Role", "What it is", "Limits"), rows),
    ]
    if codes:
        text += [f"### Codes of {resource['name']}", markdown_table(("Column", "Code", "Meaning"), codes)]
    return "\n\n".join(text)


def _described(field):
    unit = f" Unit: {field['unit']}." if "unit" in field else ""
    return f"{field['title']}. {field['description']}{unit}"


def _limits(field):
    """The constraints of a column in words; its code list stands in the table of codes."""
    limits = field.get("constraints", {})
    words = {"required": "always filled", "unique": "unique", "enum": "codes below"}
    values = {"minimum": "from", "maximum": "to", "pattern": "form"}
    said = [words[key] for key in limits if key in words and limits[key]]
    return "; ".join(said + [f"{values[key]} `{limits[key]}`" for key in limits if key in values])


def missing_values(package, training):
    rows = []
    for resource in package["resources"]:
        for field in resource["schema"]["fields"]:
            if "missingness" in field:
                how, column = field["missingness"], training[resource["name"]][field["name"]]
                lost = column.isna() | column.isin(how.get("codes", []))
                blank = f"{100 * lost.mean():.1f}"
                rows.append(
                    (
                        f"`{field['name']}`",
                        how["mechanism"],
                        how["description"],
                        blank,
                        f"`{how['parameter']}`",
                    )
                )
    header = ("Column", "Mechanism", "How", "Missing in training, percent", "True parameter")
    return markdown_table(header, rows)


def rules(package):
    rows = [
        (
            rule["name"],
            rule["table"] + (f" with {rule['join']}" if "join" in rule else ""),
            rule["description"],
        )
        for rule in package["rules"]
    ]
    return markdown_table(("Rule", "Table", "What must hold"), rows)


def true_parameters(package):
    rows = [
        (
            f"`{item['name']}`",
            _value(item["value"]),
            item.get("unit", ""),
            item["description"],
            item.get("check", ""),
        )
        for item in package["truth"]
    ]
    return markdown_table(("Parameter", "Value", "Unit", "What it does", "How to estimate it"), rows)


def _value(value):
    """A parameter in a table cell: lists and lists by code are written out on one line."""
    if isinstance(value, dict):
        return "; ".join(f"{key}: {_value(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(str(_value(item)) for item in value)
    return value


def calibration_rows(package, population, training):
    """The table of published and simulated figures, with the source of each."""
    facts = {figure["id"]: figure for figure in simulation.calibration()}
    design, rows, said = simulation.read(package["name"]), [], set()
    table = calibration_table(package["name"], population=population, training=training)
    for row in table.itertuples():
        figure = facts[row.figure]
        link = f"[{figure['source']['title']}]({figure['source']['path']})"
        source = f"{link}, {figure['date']}. {figure.get('note', '')}"
        rows.append(
            (
                "" if row.figure in said else f"{figure['title']} ({figure['unit']})",
                _code_label(design, figure, row.code),
                f"{row.published:g}",
                f"{row.population:.1f}",
                f"{row.training:.1f}",
                f"{row.tolerance:g}",
                "as above" if row.figure in said else source,
            )
        )
        said.add(row.figure)
    header = ("Figure", "Group", "Published", "Population", "Training", "Tolerance", "Source")
    return markdown_table(header, rows)


def _code_label(design, figure, code):
    how = figure["calibrates"]
    if not code or "column" not in how:
        return code.replace("_", " ")
    for table in [how["table"], *how.get("join", [])]:
        columns = {field["name"]: field for field in design.resource(table)["schema"]["fields"]}
        if how["column"] in columns:
            return design.codes(table, how["column"])[code]
    raise KeyError(f"{figure['id']} names a column that no table has: {how['column']}")


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
