"""How the people and firms in these data sets are made up.

Nobody here is real. Each `datasets/<name>/simulate.py` invents a population from
three things it can show you: code lists (in its `datapackage.json`), parameters chosen
by us (the `truth` list in the same file) and published totals (`calibration.yaml`).
This module holds the steps they share, in the order a simulation takes them:

1. `read` the description of the data set.
2. Open one random `stream` for each column.
3. Draw codes: `draw` one list for everybody, `draw_rows` a list of chances for each row.
4. Meet published totals: `intercept_for` a rate, `shares_for` a set of shares, `rake` a table.
5. Make fictional identifiers: `identifiers`, `nhs_numbers`, `ni_numbers`, `area_codes`.
6. Let values `go_missing` by a mechanism we know.
7. Take the `parts`: the training part and the control part.

`load` imports the `simulate.py` of a data set by name, from anywhere.
"""

import importlib.util
import json
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

HERE = Path(__file__).resolve().parent


# ---------------------------------------------------------------- 1. The description


@dataclass(frozen=True)
class Design:
    """What a simulation reads: the package, its true parameters and its published totals."""

    package: dict
    truth: dict
    published: dict

    def resource(self, table):
        """The description of one table. KeyError when there is no such table."""
        return {resource["name"]: resource for resource in self.package["resources"]}[table]

    def field(self, table, column):
        """The description of one column. KeyError when there is no such column."""
        return {field["name"]: field for field in self.resource(table)["schema"]["fields"]}[column]

    def codes(self, table, column):
        """The code list of one column, as {value: label} in the order it is written."""
        return {code["value"]: code["label"] for code in self.field(table, column)["categories"]}


def read(name):
    """The Design of one data set, by folder name.

    Raises ValueError when a published total has another geography than the data set:
    figures for England, England and Wales, Great Britain and the United Kingdom never mix.
    """
    package = json.loads((HERE / name / "datapackage.json").read_text(encoding="utf-8"))
    truth = {parameter["name"]: parameter["value"] for parameter in package["truth"]}
    published = {}
    for figure in calibration():
        if figure["calibrates"]["dataset"] != name:
            continue
        if figure["geography"] != package["geography"]:
            raise ValueError(
                f"{figure['id']} is for {figure['geography']}, but {name} is for {package['geography']}"
            )
        published[figure["id"]] = figure["values"]
    return Design(package, truth, published)


def calibration():
    """Every published figure in calibration.yaml, as a list of dicts."""
    return yaml.safe_load((HERE / "calibration.yaml").read_text(encoding="utf-8"))["figures"]


def load(name):
    """The module datasets/<name>/simulate.py, with its functions `population` and `parts`."""
    if str(HERE) not in sys.path:
        sys.path.insert(0, str(HERE))
    spec = importlib.util.spec_from_file_location(f"simulate_{name}", HERE / name / "simulate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# ---------------------------------------------------------------- 2. Random streams


def stream(seed, name):
    """A numpy Generator (PCG64) for one purpose.

    Each column draws from its own stream, so changing one column does not move the others.
    The same seed and name always give the same numbers.
    """
    return np.random.Generator(np.random.PCG64([seed, zlib.crc32(name.encode())]))


# ---------------------------------------------------------------- 3. Drawing codes


def draw(rng, weights, size):
    """`size` values drawn from {value: weight}. The weights need not add up to one."""
    values = np.array(list(weights), dtype=object)
    chances = np.array(list(weights.values()), dtype=float)
    return values[rng.choice(len(values), size=size, p=chances / chances.sum())]


def draw_rows(rng, chances, values):
    """One value for each row of `chances` (rows, values), whose rows need not add up to one."""
    cumulative = np.cumsum(chances, axis=1)
    dart = rng.random(len(cumulative)) * cumulative[:, -1]
    position = (dart[:, None] >= cumulative).sum(axis=1)
    return np.array(list(values), dtype=object)[np.minimum(position, len(values) - 1)]


def draw_by(rng, keys, weights):
    """One value for each key, from that key's own list: weights is {key: {value: weight}}.

    Every key's list must name the same values in the same order.
    """
    values = np.array(list(next(iter(weights.values()))), dtype=object)
    keys = np.asarray(keys, dtype=object)
    dart, position = rng.random(len(keys)), np.zeros(len(keys), dtype=int)
    # One key at a time: a matrix of rows by values would be large where there are many values.
    for key, chances in weights.items():
        cumulative, here = np.cumsum([chances[value] for value in values]), keys == key
        position[here] = np.searchsorted(cumulative, dart[here] * cumulative[-1], side="right")
    return values[np.minimum(position, len(values) - 1)]


def happens(rng, chance):
    """True where a coin with this chance (one per row, 0 to 1) falls on heads."""
    chance = np.asarray(chance, dtype=float)
    return rng.random(chance.shape) < chance


# ---------------------------------------------------------------- 4. Meeting published totals


def logistic(score):
    """The chance that belongs to a log-odds score."""
    return 1 / (1 + np.exp(-np.asarray(score, dtype=float)))


def intercept_for(rate, score, weights=None):
    """The constant to add to `score` so that the (weighted) mean of logistic(score) is `rate`.

    Found by halving: the mean rises with the constant, so sixty halvings of a wide
    interval pin it down far beyond the rounding of any table.
    """
    if not 0 < rate < 1:
        raise ValueError(f"a rate must lie between 0 and 1, not {rate}")
    low, high = -50.0, 50.0
    for _ in range(60):
        middle = (low + high) / 2
        below = np.average(logistic(middle + score), weights=weights) < rate
        low, high = (middle, high) if below else (low, middle)
    return (low + high) / 2


def shares_for(shares, scores):
    """Chances (rows, codes) that follow `scores` and average to `shares` over all rows.

    A multinomial logit whose constants are adjusted until each code has its share:
    the several-code form of `intercept_for`.
    """
    shares = np.asarray(shares, dtype=float) / np.sum(shares)
    weights = np.exp(scores - np.max(scores, axis=1, keepdims=True))
    for _ in range(200):
        chances = weights / weights.sum(axis=1, keepdims=True)
        average = chances.mean(axis=0)
        if np.allclose(average, shares, rtol=0, atol=1e-9):
            break
        weights = weights * (shares / average)
    return chances


def rake(table, *margins):
    """`table` scaled until its sums along each axis equal that axis's margin.

    Iterative proportional fitting (Deming and Stephan, 1940): the joint pattern of the
    start table is kept as far as the margins allow. The margins must share one total.
    """
    table = np.asarray(table, dtype=float)
    for _ in range(500):
        for axis, margin in enumerate(margins):
            others = tuple(other for other in range(table.ndim) if other != axis)
            shape = [-1 if other == axis else 1 for other in range(table.ndim)]
            table = table * (np.asarray(margin, dtype=float) / table.sum(axis=others)).reshape(shape)
        if np.allclose(table.sum(axis=tuple(range(1, table.ndim))), margins[0], rtol=1e-10):
            break
    return table


# ---------------------------------------------------------------- 5. Fictional identifiers


def distinct(rng, size, limit):
    """`size` different whole numbers below `limit`, in random order."""
    return rng.choice(limit, size=size, replace=False)


def identifiers(rng, size, prefix, digits):
    """Different codes such as HH048213: a prefix and random digits that carry no meaning."""
    return np.array(
        [f"{prefix}{number:0{digits}d}" for number in distinct(rng, size, 10**digits)], dtype=object
    )


def nhs_check_digit(nine):
    """The tenth digit of an NHS number, or None where the nine digits can never be used.

    Modulus 11: multiply the digits by 10, 9, ... 2, add up, take the remainder of division
    by 11 away from 11. A result of 11 is written 0; a result of 10 is not allowed.
    """
    total = sum(int(digit) * weight for digit, weight in zip(nine, range(10, 1, -1), strict=True))
    check = 11 - total % 11
    return {10: None, 11: "0"}.get(check, str(check))


def nhs_numbers(rng, size):
    """Different NHS numbers from the 999 range, each with a valid check digit.

    The range is understood to be kept for tests and never given to patients (to be checked).

    At most about 900,000 exist; ValueError when more are asked for.
    """
    numbers = []
    for middle in distinct(rng, 1_000_000, 1_000_000):
        if len(numbers) == size:
            break
        nine = f"999{middle:06d}"
        check = nhs_check_digit(nine)
        if check is not None:
            numbers.append(nine + check)
    if len(numbers) < size:
        raise ValueError(f"the 999 range has only {len(numbers)} valid NHS numbers, not {size}")
    return np.array(numbers, dtype=object)


def ni_numbers(rng, size):
    """Different National Insurance numbers nobody holds: no prefix has the letter Q.

    Source: HM Revenue and Customs, National Insurance Manual, NIM39110.
    """
    numbers = distinct(rng, size, 4_000_000)
    return np.array([f"QQ{number // 4:06d}{'ABCD'[number % 4]}" for number in numbers], dtype=object)


def area_codes(count):
    """Fictional small areas X01000001, X01000002, ...: no real code begins with X."""
    return np.array([f"X01{number:06d}" for number in range(1, count + 1)], dtype=object)


# ---------------------------------------------------------------- 6. Missing values


def go_missing(rng, column, chance, code=None):
    """A copy of `column` (Series) where each value is lost with its own chance.

    The mechanism lies in how the caller makes `chance`:
    one number for all is MCAR (missing completely at random);
    a chance from other, visible columns is MAR (missing at random);
    a chance from the value that is lost is MNAR (missing not at random).
    Lost values turn blank, or into `code` where the department has a code for them.
    Values that are blank already stay blank.
    """
    lost = happens(rng, np.broadcast_to(chance, len(column))) & column.notna().to_numpy()
    return column.mask(lost, code) if code is not None else column.mask(lost)


# ---------------------------------------------------------------- 7. Training and control


def parts(design, population, seed):
    """Two parts of a population: {"training": tables, "control": tables}.

    The package says what is drawn: "sampling": {"unit": table, "size": rows}. Units are
    drawn at random, none twice, so the parts are disjoint and differ only by chance. Tables
    that lead to the unit table by a foreign key follow it (claims follow their household).
    Tables it points to keep the rows that are used (schools of the sampled pupils).
    """
    unit, size = design.package["sampling"]["unit"], design.package["sampling"]["size"]
    if 2 * size > len(population[unit]):
        raise ValueError(f"two parts of {size} do not fit in {len(population[unit])} {unit}")
    chosen = stream(seed, "parts").permutation(len(population[unit]))[: 2 * size]
    halves = {"training": chosen[:size], "control": chosen[size:]}
    return {part: _linked(design, population, unit, np.sort(rows)) for part, rows in halves.items()}


def _linked(design, population, unit, rows):
    """The tables of a part: the unit's rows, then whatever links to them, step by step."""
    tables = {unit: population[unit].iloc[rows]}
    links = [
        (resource["name"], key["fields"], key["reference"]["resource"], key["reference"]["fields"])
        for resource in design.package["resources"]
        for key in resource["schema"].get("foreignKeys", [])
    ]
    while len(tables) < len(population):
        known = set(tables)
        for child, child_key, parent, parent_key in links:
            if parent in tables and child not in tables:
                tables[child] = _matching(population[child], child_key, tables[parent], parent_key)
            elif child in tables and parent not in tables:
                tables[parent] = _matching(population[parent], parent_key, tables[child], child_key)
        if set(tables) == known:
            raise ValueError(f"no foreign key links {set(population) - known} to {unit}")
    return {name: tables[name].reset_index(drop=True) for name in population}


def _matching(table, key, other, other_key):
    """The rows of `table` whose key occurs in `other`. Keys are lists of one column."""
    return table[table[key[0]].isin(other[other_key[0]])]
