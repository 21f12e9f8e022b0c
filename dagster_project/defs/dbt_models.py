"""The marts: dbt builds what changed; its tests become one check for each mart.

Staging and intermediate models are named for lineage only: nobody reads them, and a thousand events a
pass in Dagster's log would cost more than the pass.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from graphlib import TopologicalSorter
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtProject, build_dbt_asset_specs

from dagster_project.defs.home import Home, InHome
from dagster_project.marts.changes import LAYOUT, reopen_after_upgrade
from dagster_project.marts.dbt_run import DbtRun, MartTests, run_dbt
from dagster_project.marts.manifest import ensure_manifest, target_folder
from dagster_project.marts.upgrade import upgrade
from dagster_project.marts.warehouse import (
    DBT_PROJECT,
    dbt_environment,
    needs_full_refresh,
    process_environment,
)
from ingestion.contracts import LANDED
from ingestion.meaning.errors.group_store import ErrorStore
from ingestion.processes import passes
from ingestion.settings import Settings

_LANDED = [dg.AssetKey(["landed", signal]) for signal in LANDED]
_FATES = "assert_every_item_has_one_fate"
_Specs = Mapping[dg.AssetKey, dg.AssetSpec]


class _Translator(DagsterDbtTranslator):
    def get_group_name(self, dbt_resource_props: Any) -> str | None:
        """The dbt layer and subject: staging, intermediate, performance, platform."""
        return dbt_resource_props["fqn"][-2]


def dbt_definitions(settings: Settings) -> dg.Definitions:
    """What the dbt project of this moment holds; raises ManifestProblem.

    The home keeps the parsed project, and dbt writes into it.
    """
    found = build_dbt_asset_specs(
        manifest=ensure_manifest(settings),
        dagster_dbt_translator=_Translator(),
        project=DbtProject(
            project_dir=DBT_PROJECT, profiles_dir=DBT_PROJECT, target_path=target_folder(settings)
        ),
    )
    is_mart = {spec.key: spec.key.path[0] == "marts" for spec in found}
    steps = [spec for spec in found if not is_mart[spec.key]]
    marts = {s.key: s.merge_attributes(deps=_LANDED) for s in found if is_mart[s.key]}
    return dg.Definitions(assets=[*steps, _marts(marts)])


def _marts(specs: _Specs) -> dg.AssetsDefinition:
    in_order = _in_order(specs)

    @dg.multi_asset(
        name="marts",
        specs=list(specs.values()),
        check_specs=[dg.AssetCheckSpec("dbt_tests", asset=key, blocking=True) for key in specs],
    )
    def marts(context: dg.AssetExecutionContext, home: InHome) -> Iterator[Any]:
        """One `dbt build` over what changed; it is built only when all of it passed."""
        errors = ErrorStore(home.settings.home, home.keys())
        rules_built = errors.rules_to_build(home.settings.errors.grouping_version)
        with home.writing(context.log.info):
            done = _build(home)
        for line in done.failures:
            context.log.error(line)
        passes.note(home.settings.home, unaccounted=_unaccounted(done))
        yield from _results(done, in_order)
        if not done.succeeded:
            raise dg.Failure("dbt did not succeed: the lines above name the nodes")
        errors.note_built(rules_built)

    return marts


def _in_order(specs: _Specs) -> tuple[dg.AssetKey, ...]:
    """Dagster wants what a mart is made of before the mart."""
    made_of = {key: [dep.asset_key for dep in spec.deps] for key, spec in specs.items()}
    return tuple(key for key in TopologicalSorter(made_of).static_order() if key in specs)


def _build(home: Home) -> DbtRun:
    """Build the hours that changed, under the lock of the one writer."""
    settings = home.settings
    is_full_refresh = needs_full_refresh(settings)
    arguments = ["build", "--exclude-resource-type", "unit_test"]
    arguments += ["--full-refresh"] if is_full_refresh else []
    with closing(home.catalog()) as catalog:
        reopen_after_upgrade(catalog, home.now())
        if catalog.layout("marts") != LAYOUT:
            upgrade(settings, home.keys(), ensure_manifest(settings))
        covered = catalog.dirty_hours()
        environment = dbt_environment(settings, home.keys(), is_full_refresh=is_full_refresh)
        with process_environment(environment):
            done = run_dbt(arguments, target_folder(settings))
        if done.succeeded:
            catalog.clean(covered)
            catalog.note_layout("marts", LAYOUT)
    return done


def _results(done: DbtRun, in_order: Iterable[dg.AssetKey]) -> Iterator[Any]:
    for key in in_order:
        name = key.path[-1]
        if name in done.models:
            yield dg.MaterializeResult(asset_key=key, metadata={"seconds": done.models[name]})
            yield _as_check(key, done.tests.get(name, MartTests()))


def _unaccounted(done: DbtRun) -> str:
    """What `status` says where items have no fate, or two."""
    tests = done.tests.get("fct_landed_items_hourly", MartTests())
    if _FATES not in (*tests.warned, *tests.failed):
        return ""
    return f"the ledger does not add up: see fct_landed_items_hourly ({_FATES})"


def _as_check(key: dg.AssetKey, tests: MartTests) -> dg.AssetCheckResult:
    is_warned = bool(tests.warned) and not tests.failed
    return dg.AssetCheckResult(
        asset_key=key,
        check_name="dbt_tests",
        passed=not tests.failed and not is_warned,
        severity=dg.AssetCheckSeverity.WARN if is_warned else dg.AssetCheckSeverity.ERROR,
        metadata={
            "tests": tests.count,
            "failed": ", ".join(tests.failed) or "none",
            "warned": ", ".join(tests.warned) or "none",
        },
    )
