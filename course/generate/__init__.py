"""Generators of synthetic tables, all behind one interface.

    model = fit("copula", table, schema)      # learn
    model.sample(1000, seed=1)                # draw: the same seed gives the same rows

`names()` lists them in the order of the fidelity ladder. The hand-built ones are short enough to read and
are what the labs explain; the adapters hand the same table and schema to SDV and SynthOpt.

| name | what it may look at | what it keeps |
|---|---|---|
| structural | the schema | column names and types |
| valid | the schema and the rules | also codes, ranges and rules |
| marginal | each column alone, coarsened | also each column's shape |
| ipf | published counts of columns and pairs | also the relationships between the columns of each pair |
| ipf-dp | the same counts with noise | the same, as far as the noise lets it |
| copula | columns and their correlations | also pairwise strength of association |
| cart | every row | also detailed relationships, and real values |
"""

from __future__ import annotations

import importlib

from .base import Generator, GeneratorError

__all__ = ["SHAPES", "Generator", "GeneratorError", "fit", "names"]

# What a generator makes, by the shape of what it is fitted to:
#   table    one table: fit(name, table, schema), sample(rows, seed) gives a table
#   linked   tables tied by keys: fit(name, {name: table}, {name: schema}), sample(rows, seed) gives a dict of
#            tables, where rows counts the rows of the table that has no parent
#   history  several rows for each person: fit(name, table, schema, person=..., order=...), sample(rows, seed)
#            gives a table, where rows counts the people
SHAPES = ("table", "linked", "history")

# name -> (module, class, options that the name stands for); the module is imported when first asked for.
_TABLE = {
    "structural": ("metadata", "Structural", {}),
    "valid": ("metadata", "Valid", {}),
    "marginal": ("marginal", "Marginal", {}),
    "ipf": ("ipf", "Ipf", {}),
    "ipf-dp": ("ipf_dp", "IpfDp", {}),
    "copula": ("copula", "Copula", {}),
    "cart": ("cart", "Cart", {}),
    "metasyn": ("metasyn", "Metasyn", {}),
    "synthopt-structural": ("synthopt", "SynthOpt", {"level": "structural"}),
    "synthopt-statistical": ("synthopt", "SynthOpt", {"level": "statistical"}),
    "synthopt-correlated": ("synthopt", "SynthOpt", {"level": "correlated"}),
    "synthopt-machine-learning": ("synthopt", "SynthOptNetwork", {}),
    "sdv-gaussian-copula": ("sdv", "Sdv", {"synthesiser": "GaussianCopulaSynthesizer"}),
    "sdv-ctgan": ("sdv", "Sdv", {"synthesiser": "CTGANSynthesizer"}),
    "sdv-tvae": ("sdv", "Sdv", {"synthesiser": "TVAESynthesizer"}),
    "sdv-copulagan": ("sdv", "Sdv", {"synthesiser": "CopulaGANSynthesizer"}),
    "synthcity-marginal-distributions": ("synthcity", "Synthcity", {"plugin": "marginal_distributions"}),
    "synthcity-bayesian-network": ("synthcity", "Synthcity", {"plugin": "bayesian_network"}),
    "synthcity-arf": ("synthcity", "Synthcity", {"plugin": "arf"}),
    "synthcity-ctgan": ("synthcity", "Synthcity", {"plugin": "ctgan"}),
    "synthcity-tvae": ("synthcity", "Synthcity", {"plugin": "tvae"}),
    "synthcity-nflow": ("synthcity", "Synthcity", {"plugin": "nflow"}),
    "synthcity-ddpm": ("synthcity", "Synthcity", {"plugin": "ddpm"}),
    "synthcity-adsgan": ("synthcity", "Synthcity", {"plugin": "adsgan"}),
    "synthcity-privbayes": ("synthcity", "Synthcity", {"plugin": "privbayes"}),
    "synthcity-aim": ("synthcity", "Synthcity", {"plugin": "aim"}),
    "synthcity-dpgan": ("synthcity", "Synthcity", {"plugin": "dpgan"}),
    "synthcity-pategan": ("synthcity", "Synthcity", {"plugin": "pategan"}),
}
_LINKED = {
    "parent-child": ("linked", "ParentChild", {}),
    "sdv-hma": ("linked", "SdvHma", {}),
}
_HISTORY = {
    "markov": ("history", "Markov", {}),
    "sdv-par": ("history", "SdvPar", {}),
}
_REGISTER = {"table": _TABLE, "linked": _LINKED, "history": _HISTORY}


def names(shape: str = "table") -> list[str]:
    """The generators that `fit` knows, from least to most detailed, then the adapters.

    `shape` is one of SHAPES: single tables unless told otherwise.
    """
    return list(_REGISTER[shape])


def fit(name: str, table, schema, **options) -> Generator:
    """Fit the generator called `name` to a table and return it, ready to `sample(rows, seed)`.

    `table` is None for the levels made from metadata alone (structural, valid). For generators of linked
    tables, `table` and `schema` are each a dict by table name. Raises GeneratorError, in one sentence, for an
    unknown name, an unusable table, or an option the generator does not have.
    """
    known = {each: entry for register in _REGISTER.values() for each, entry in register.items()}
    if name not in known:
        raise GeneratorError(f"There is no generator {name!r}. Choose one of: {', '.join(known)}.")
    module, class_name, fixed = known[name]
    kind = getattr(importlib.import_module(f".{module}", __name__), class_name)
    try:
        generator = kind(**fixed, **options)
    except TypeError as error:
        raise GeneratorError(f"The generator {name!r} does not take these options: {error}.") from error
    return generator.fit(table, schema)
