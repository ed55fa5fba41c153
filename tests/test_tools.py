"""The tool catalogue (book/tools.yml), held to what the tools do here.

Each statement of the catalogue's `smoke` lists is a function of this file, found by its name. The function
fails if the statement is no longer true. So a tool that stops working is noticed, and so is a mended fault.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import io
import os
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from course import data, generate

ROOT = Path(__file__).resolve().parent.parent
TOOLS = yaml.safe_load((ROOT / "book" / "tools.yml").read_text(encoding="utf-8"))["tools"]
STATEMENTS = [statement for tool in TOOLS for statement in tool.get("smoke", [])]
KINDS = {"generator", "evaluator", "output checker", "privacy library", "description", "federation"}


@pytest.fixture(scope="module")
def claims():
    return data.load("claims")


@pytest.fixture(scope="module")
def table(claims):
    """Four columns of the households, without blanks: what every tool takes."""
    columns = ["region", "tenure", "people", "weekly_income"]
    return claims.training["households"][columns].dropna().head(1200).reset_index(drop=True)


@pytest.fixture(scope="module")
def control(claims, table):
    rows = claims.control["households"][list(table.columns)].dropna()
    return rows.head(len(table)).reset_index(drop=True)


@pytest.fixture(scope="module")
def schema(claims, table):
    return claims.schema("households").select(list(table.columns))


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Some tools write files into the folder they run in, and print at length."""
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


# The catalogue itself --------------------------------------------------------------------------------------


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool["name"])
def test_the_entry_is_whole_and_its_version_and_licence_are_the_installed_ones(tool):
    assert tool["kind"] in KINDS and tool["for"].endswith(".") and tool["here"]
    for statement in tool.get("smoke", []):
        assert statement["result"] in ("works", "fault") and statement["says"].endswith(".")
    if "package" not in tool:
        assert tool["here"].startswith("Not run"), "a tool that the course runs names its package"
        assert not tool.get("smoke")
        return
    assert tool["smoke"], "a tool that the course runs is tried"
    installed = importlib.metadata.metadata(tool["package"])
    assert str(tool["version"]) == installed["Version"]
    declared = installed.get("License-Expression") or installed["License"].splitlines()[0]
    assert tool["declared"] == declared, "the licence as the package states it"


def test_every_statement_has_its_function():
    names = [statement["test"] for statement in STATEMENTS]
    assert len(names) == len(set(names))
    here = {name for name in globals() if name.startswith("test_") and name not in OF_THE_CATALOGUE}
    assert set(names) == here


OF_THE_CATALOGUE = {
    "test_the_entry_is_whole_and_its_version_and_licence_are_the_installed_ones",
    "test_every_statement_has_its_function",
    "test_the_page_lists_every_tool",
}


def test_the_page_lists_every_tool():
    names = [tool["name"] for tool in TOOLS]
    assert len(names) == len(set(names)) and len(names) >= 20
    page = (ROOT / "book" / "tools.md").read_text(encoding="utf-8")
    assert "{tool-catalogue}" in page


# What each tool does here ----------------------------------------------------------------------------------


def test_synthopt_levels(table, schema):
    for level in ("structural", "statistical", "correlated"):
        made = generate.fit(f"synthopt-{level}", table, schema).sample(50, 1)
        assert list(made.columns) == schema.columns and len(made) == 50


def test_synthopt_keeps_the_extremes(table, schema):
    canary = table.assign(weekly_income=table["weekly_income"].where(table.index != 7, 98_765.43))
    from synthopt.process.structural_metadata import process_structural_metadata

    with quiet():
        described = process_structural_metadata(canary, table_name="households")
    # The range is stored as text: "(6.35, 98765.43)".
    values = described.loc[described["variable_name"] == "weekly_income", "values"].astype(str).iloc[0]
    assert "98765.43" in values


def test_synthopt_evaluation_and_machine_learning_do_not_load():
    for module in ("synthopt.generate.syntheticdata", "synthopt.evaluate.privacy"):
        sys.modules.pop(module, None)
        with pytest.raises(ImportError, match="SingleTableMetadata"):
            importlib.import_module(module)


def test_sdv_copula(table, schema):
    made = generate.fit("sdv-gaussian-copula", table, schema).sample(50, 1)
    assert list(made.columns) == schema.columns


def test_sdv_loses_a_common_value(claims):
    households = claims.training["households"]
    schema = claims.schema("households")
    made = generate.fit("sdv-gaussian-copula", households, schema).sample(len(households), 1)
    alone, made_alone = (households["people"] == 1).mean(), (made["people"] == 1).mean()
    assert alone > 0.2 and made_alone < alone / 4


def test_sdv_dayz_is_not_for_everyone(schema):
    import sdv.single_table as single

    with pytest.raises(Exception, match=r"(?i)enterprise"):
        single.DayZSynthesizer(schema.to_sdv()).fit({})


def test_sdv_gives_every_family_the_same_random_numbers(claims):
    """Children drawn for forty parents at random: are the i-th children of all of them alike?"""
    from sdv.metadata import Metadata
    from sdv.multi_table import HMASynthesizer

    rng = np.random.default_rng(1)
    parents = pd.DataFrame({"key": range(15), "size": rng.normal(size=15)})
    children = pd.DataFrame({"parent": np.repeat(range(15), 20), "score": rng.normal(size=300)})
    numeric = {"sdtype": "numerical"}
    link = {"parent_table_name": "parents", "parent_primary_key": "key"}
    link |= {"child_table_name": "children", "child_foreign_key": "parent"}
    columns = {"key": {"sdtype": "id"}, "size": numeric}, {"parent": {"sdtype": "id"}, "score": numeric}
    tables = {"parents": {"columns": columns[0], "primary_key": "key"}, "children": {"columns": columns[1]}}
    described = Metadata.load_from_dict({"tables": tables, "relationships": [link]})
    with quiet():
        model = HMASynthesizer(described, verbose=False)
        model.fit({"parents": parents, "children": children})
        made = model.sample(15, main_table_name="parents")["children"]
    wide = made.assign(place=made.groupby("parent").cumcount())
    alike = wide.pivot(index="place", columns="parent", values="score").corr(method="spearman").to_numpy()
    assert alike[np.triu_indices(len(alike), 1)].mean() > 0.4


def test_synthcity_bayesian_network(table):
    made = synthcity("bayesian_network", table).generate(count=50).dataframe()
    assert list(made.columns) == list(table.columns)


def test_synthcity_margins_are_uniform(table):
    made = synthcity("marginal_distributions", table).generate(count=2000).dataframe()
    commonest = table["region"].value_counts(normalize=True)
    uniform = 1 / len(commonest)
    got = made["region"].value_counts(normalize=True)[commonest.index[0]]
    assert commonest.iloc[0] > uniform + 0.03 and abs(got - uniform) < 0.03
    assert made["weekly_income"].median() > 3 * table["weekly_income"].median()


def test_synthcity_privbayes_adds_too_little_noise():
    """Its paper adds noise to shares of the table; it adds the same noise to counts."""
    from synthcity.plugins.privacy.plugin_privbayes import PrivBayes

    rows = np.random.default_rng(1).integers(0, 3, (3000, 6))
    coded = pd.DataFrame(rows, columns=list("abcdef"))
    model, pair, parents, epsilon = PrivBayes(epsilon=1.0), ["a", "b"], 2, 1.0
    model.K = parents
    true, needed = coded.groupby(pair).size(), 2 * (len(coded.columns) - parents) / epsilon

    def counted():
        return model._get_noisy_counts_for_attributes(coded, pair).set_index(pair)["count"]

    np.random.seed(0)
    noise = pd.concat([counted() - true for _ in range(30)]).abs().mean()
    assert 0 < noise < needed / 100


def test_synthcity_aim_does_not_learn_exact_counts():
    from synthcity.plugins.core.models.mbi.domain import Domain
    from synthcity.plugins.core.models.mbi.identity import Identity
    from synthcity.plugins.core.models.mbi.inference import FactoredInference

    counts, column = np.array([5000.0, 1000.0]), ("a",)
    engine = FactoredInference(Domain(column, [2]), iters=1000)
    fitted = engine.estimate([(Identity(2), counts, 1.0, column)]).project(column).datavector()
    assert fitted[0] < 4000 and abs(fitted.sum() - 6000) < 1


def codes_with_a_common_one(codes):
    """Two unrelated columns; the code in the middle of a list is that of seven rows in ten."""
    rng, common = np.random.default_rng(1), codes // 2
    odds = np.full(codes, 0.3 / (codes - 1))
    odds[common] = 0.7
    names = [f"c{i:02}" for i in range(codes)]
    rows = pd.DataFrame({"code": rng.choice(names, 2000, p=odds), "other": rng.choice(["x", "y"], 2000)})
    return rows, names[common]


def test_synthcity_evens_out_what_repeats():
    """Rows that repeat are dropped from each batch, unless it is told not to be strict."""
    rows, common = codes_with_a_common_one(9)
    made = synthcity("bayesian_network", rows).generate(count=2000).dataframe()
    assert (rows["code"] == common).mean() > 0.6 and (made["code"] == common).mean() < 0.2


def test_synthcity_misplaces_the_codes_of_a_long_list():
    off = {}
    for codes in (9, 15):
        rows, common = codes_with_a_common_one(codes)
        made = synthcity("bayesian_network", rows, strict=False).generate(count=2000).dataframe()
        off[codes] = abs((made["code"] == common).mean() - (rows["code"] == common).mean())
    assert off[9] < 0.05 and off[15] > 0.2


def test_synthcity_domias_gives_nothing():
    from synthcity.metrics import Metrics
    from synthcity.plugins.core.dataloader import GenericDataLoader

    def scores(columns):
        rows = np.random.default_rng(0).normal(size=(300, columns))
        loader = GenericDataLoader(pd.DataFrame(rows, columns=[f"n{i}" for i in range(columns)]))
        with quiet():
            found = Metrics.evaluate(loader, loader, loader, loader, metrics={"privacy": ["DomiasMIA_KDE"]})
        return [name for name in found.index if "Domias" in name]

    assert scores(2) and not scores(12)


def test_synthcity_changes_pandas_for_others():
    code = "import pandas, synthcity.metrics; print(pandas.options.mode.chained_assignment)"
    said = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True)
    assert said.stdout.split()[-1] == "raise", said.stderr[-500:]


def test_metasyn_fits_and_makes(table):
    made = metaframe(table).synthesize(50)
    assert list(made.columns) == list(table.columns) and len(made) == 50


def test_metasyn_description_holds_exact_extremes(table):
    canary = table.assign(weekly_income=np.linspace(100, 98_765.43, len(table)))
    income = metaframe(canary).to_dict()["tables"][0]["vars"][-1]
    assert income["distribution"]["parameters"]["upper"] == 98_765.43


def test_arfpy_fits_and_makes(table):
    from arfpy import arf

    np.random.seed(0)
    with quiet():
        forest = arf.arf(
            x=table.assign(region=table["region"].astype("category")), num_trees=5, verbose=False
        )
        forest.forde()
        made = forest.forge(n=50)
    assert list(made.columns) == list(table.columns) and len(made) == 50


def test_faker_repeats_and_knows_the_uk():
    from faker import Faker

    first, again = Faker("en_GB"), Faker("en_GB")
    first.seed_instance(1)
    again.seed_instance(1)
    assert [first.postcode() for _ in range(3)] == [again.postcode() for _ in range(3)]


def test_sdmetrics_quality_report_sees_a_copy(table, schema):
    from sdmetrics.reports.single_table import QualityReport

    report = QualityReport()
    with quiet():
        report.generate(table, table.copy(), schema.to_sdv().to_dict()["tables"]["households"], verbose=False)
    assert report.get_score() > 0.999


def test_sdmetrics_calls_a_copy_private(table, control, schema):
    from sdmetrics.single_table import DCROverfittingProtection

    metadata = {"tables": {"households": schema.to_sdv().to_dict()["tables"]["households"]}}
    columns = ["region", "tenure", "people"]
    for column in set(schema.columns) - set(columns):
        metadata["tables"]["households"]["columns"].pop(column)
    with quiet():
        score = DCROverfittingProtection.compute(
            real_training_data=table[columns],
            synthetic_data=table[columns].copy(),
            real_validation_data=control[columns],
            metadata=metadata,
            table_name="households",
        )
    assert score > 0.99


def test_anonymeter_finds_a_copy(table, control):
    from anonymeter.evaluators import InferenceEvaluator

    np.random.seed(0)
    attack = InferenceEvaluator(
        ori=table,
        syn=table.copy(),
        control=control,
        aux_cols=["region", "people", "weekly_income"],
        secret="tenure",
        n_attacks=300,
    )
    attack.evaluate(n_jobs=1)
    assert attack.risk().ci[0] > 0.3


def test_anonymeter_baseline_grows_with_the_attacks(table, control):
    from anonymeter.evaluators import InferenceEvaluator

    def baseline(attacks):
        np.random.seed(0)
        attack = InferenceEvaluator(
            ori=table,
            syn=table.sample(frac=1, random_state=1),
            control=control,
            aux_cols=["region"],
            secret="tenure",
            n_attacks=attacks,
        )
        attack.evaluate(n_jobs=1)
        return attack.results(confidence_level=0.95).baseline_rate.value

    # A guess at random from the column's own shares is right as often, however many guesses are made.
    assert baseline(len(table)) > 3 * baseline(100)


def test_anonymeter_singling_out_has_a_seed_of_its_own(table, control):
    from anonymeter.evaluators import SinglingOutEvaluator

    def queries(**seed):
        np.random.seed(0)
        attack = SinglingOutEvaluator(table, table.sample(frac=1), 20, control=control, n_cols=3, **seed)
        with quiet():
            attack.evaluate(mode="multivariate")
        return sorted(map(str, attack.queries()))

    assert queries(seed=1) == queries(seed=1) and queries() != queries()


def test_acro_flags_small_cells(table):
    from acro import ACRO

    # Another tool, in the same process, may have turned a warning of pandas into an error.
    with quiet(), pd.option_context("mode.chained_assignment", None):
        checker = ACRO(suppress=True)
        checker.crosstab(table["region"], table["people"])
        outcome = next(iter(checker.results.results.values()))
    assert outcome.status in ("fail", "review") and "MinimumThresholdCheck: fail" in outcome.summary


def test_acro_counts_rows_that_have_no_value():
    from acro import ACRO

    # Twelve rows in the cell, and three values: the mean is of three.
    table = pd.DataFrame({"group": ["a"] * 12, "all": "x", "value": [5.0, 6, 7] + [np.nan] * 9})
    with quiet(), pd.option_context("mode.chained_assignment", None):
        checker, status = ACRO(), []
        for columns in (None, "all"):
            checker.pivot_table(table, values="value", index="group", columns=columns)
            status.append(checker.results.get_index(-1).fair["check_status"]["MinimumThresholdCheck"])
    assert status == ["fail", "pass"]


def test_acro_passes_two_tables_that_differ_by_one_firm():
    from acro import ACRO

    firms = pd.DataFrame({"nation": ["N"] * 20, "staff": [*range(10, 29), 900], "turnover": 100.0})
    with quiet(), pd.option_context("mode.chained_assignment", None):
        checker = ACRO()
        for some in (firms, firms[firms["staff"] < 250]):
            checker.pivot_table(some, values="turnover", index="nation", aggfunc="sum")
        outcomes = list(checker.results.results.values())
    assert [one.status for one in outcomes] == ["pass", "pass"]
    assert all("manual review" in one.summary for one in outcomes)


def test_sacroml_flags_a_forest_that_remembers():
    from sacroml.attacks.target import Target
    from sacroml.attacks.worst_case_attack import WorstCaseAttack
    from sklearn.ensemble import RandomForestClassifier

    rng = np.random.default_rng(0)
    rows, outcome = rng.normal(size=(800, 4)), rng.integers(0, 2, 800)  # nothing to learn, only to remember

    def strength(least):
        forest = RandomForestClassifier(20, min_samples_leaf=least, bootstrap=least > 1, random_state=0)
        forest.fit(rows[:400], outcome[:400])
        target = Target(
            model=forest,
            X_train=rows[:400],
            y_train=outcome[:400],
            X_test=rows[400:],
            y_test=outcome[400:],
        )
        with quiet():
            found = WorstCaseAttack(n_reps=2, write_report=False, output_dir="out").attack(target)
        runs = found["attack_experiment_logger"]["attack_instance_logger"]
        return np.mean([run["AUC"] for run in runs.values()])

    assert strength(1) > 0.9 and strength(100) < 0.75


def sacroml_target(model, seed=0):
    """A model fitted to 300 rows with nothing to learn, and 300 others, as SACRO-ML wants them."""
    from sacroml.attacks.target import Target

    rng = np.random.default_rng(seed)
    rows, outcome = rng.normal(size=(600, 4)), rng.integers(0, 2, 600)
    parts = {"X_train": rows[:300], "y_train": outcome[:300], "X_test": rows[300:], "y_test": outcome[300:]}
    return Target(model=model.fit(rows[:300], outcome[:300]), **parts)


def sacroml_found(attack, model, **options):
    with quiet(), tempfile.TemporaryDirectory() as folder:
        report = attack(folder, write_report=False, **options).attack(sacroml_target(model))
    return next(iter(report["attack_experiment_logger"]["attack_instance_logger"].values()))


def test_sacroml_looks_less_into_a_pipeline():
    from sacroml.attacks.structural_attack import StructuralAttack
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.pipeline import make_pipeline

    forest = RandomForestClassifier(50, random_state=0)
    bare, wrapped = (
        sacroml_found(StructuralAttack, model) for model in (forest, make_pipeline("passthrough", forest))
    )
    assert bare["dof_risk"] and bare["unnecessary_risk"]
    assert not wrapped["dof_risk"] and not wrapped["unnecessary_risk"]


def test_sacroml_finds_kept_rows_by_the_name_of_the_method():
    from sacroml.attacks.instance_based_attack import InstanceBasedAttack
    from sklearn.neighbors import KNeighborsClassifier, RadiusNeighborsClassifier

    models = KNeighborsClassifier(5), RadiusNeighborsClassifier(9, outlier_label=0)
    found = [sacroml_found(InstanceBasedAttack, model)["n_matched"] for model in models]
    assert found == [300, 0] and len(models[1]._fit_X) == 300


def test_sacroml_lira_takes_the_shadows_of_another_model(tmp_path):
    from sacroml.attacks.likelihood_attack import LIRAAttack
    from sacroml.attacks.utils import get_shadow_model
    from sklearn.tree import DecisionTreeClassifier

    for least in (1, 20):
        with quiet():
            target = sacroml_target(DecisionTreeClassifier(min_samples_leaf=least, random_state=0))
            LIRAAttack(str(tmp_path), write_report=False, n_shadow_models=8).attack(target)
        assert get_shadow_model(f"{tmp_path}/shadow_models", 0)[0].model.min_samples_leaf == 1


def test_opacus_counts_the_budget():
    from opacus.accountants import RDPAccountant

    def spent(steps):
        accountant = RDPAccountant()
        accountant.history = [(1.0, 0.01, steps)]
        return accountant.get_epsilon(delta=1e-5)

    assert 0 < spent(100) < spent(1000)


def test_frictionless_finds_a_wrong_code(claims, tmp_path):
    import frictionless

    fields = [
        field for field in claims.package["resources"][0]["schema"]["fields"] if field["name"] == "tenure"
    ]
    (tmp_path / "t.csv").write_text("tenure\nCASTLE\n")
    codes = [code["value"] for code in fields[0]["categories"]]
    described = {"fields": [{"name": "tenure", "type": "string", "constraints": {"enum": codes}}]}
    resource = frictionless.Resource(path="t.csv", schema=frictionless.Schema.from_descriptor(described))
    assert not resource.validate().valid
    (tmp_path / "t.csv").write_text(f"tenure\n{codes[0]}\n")
    assert frictionless.Resource(path="t.csv", schema=resource.schema).validate().valid


# Helpers ---------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def quiet():
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


def synthcity(plugin, table, **options):
    """A plugin of synthcity fitted to a table, by its own interface."""
    from synthcity.plugins import Plugins
    from synthcity.plugins.core.dataloader import GenericDataLoader

    os.environ.setdefault("TQDM_DISABLE", "1")
    with quiet():
        model = Plugins(categories=["generic"]).get(plugin, random_state=0, **options)
        model.fit(GenericDataLoader(table))
    return model


def metaframe(table):
    """metasyn's description of a table, fitted with its defaults."""
    import polars
    from metasyn import MetaFrame

    with quiet():
        return MetaFrame.fit_dataframe(polars.DataFrame(table.to_dict("list")))
