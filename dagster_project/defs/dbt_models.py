"""The marts: dbt builds what changed; its tests become one check for each mart.

Staging and intermediate models are named for lineage only: nobody reads them, and a thousand events a
pass in Dagster's log would cost more than the pass.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from graphlib import TopologicalSorter
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtProject, build_dbt_asset_specs

from dagster_project.marts.dbt_run import DbtRun, MartTests, run_dbt
from dagster_project.marts.landed import LAYOUT, reopen_after_upgrade
from dagster_project.marts.manifest import ensure_manifest, target_folder
from dagster_project.marts.upgrade import upgrade
from dagster_project.marts.warehouse import (
    DBT_PROJECT,
    dbt_environment,
    needs_full_refresh,
    process_environment,
    writer_lock,
)
from ingestion.contracts import LANDED
from ingestion.lake.catalog import Catalog
from ingestion.meaning.errors.group_store import ErrorStore
from ingestion.processes import passes
from ingestion.settings import load_settings
from privacy.keys.store import KeyStore

_settings = load_settings()
project = DbtProject(
    project_dir=DBT_PROJECT, profiles_dir=DBT_PROJECT, target_path=target_folder(_settings)
)


class _Translator(DagsterDbtTranslator):
    def get_group_name(self, dbt_resource_props: Any) -> str | None:
        """The dbt layer and subject: staging, intermediate, performance, platform."""
        return dbt_resource_props["fqn"][-2]


def _by_key() -> dict[dg.AssetKey, dg.AssetSpec]:
    # No list of the module: what Dagster finds in one counts as defined there.
    found = build_dbt_asset_specs(
        manifest=ensure_manifest(_settings), dagster_dbt_translator=_Translator(), project=project
    )
    return {spec.key: spec for spec in found}


_LANDED = [dg.AssetKey(["landed", signal]) for signal in LANDED]
_SPECS = _by_key()
_MARTS = {
    key: spec.merge_attributes(deps=_LANDED)
    for key, spec in _SPECS.items()
    if key.path[0] == "marts"
}
# Dagster wants what a mart is made of before the mart.
_FATES = "assert_every_item_has_one_fate"
_IN_ORDER = tuple(
    key
    for key in TopologicalSorter(
        {key: [dep.asset_key for dep in spec.deps] for key, spec in _MARTS.items()}
    ).static_order()
    if key in _MARTS
)
steps = [spec for key, spec in _SPECS.items() if key not in _MARTS]


def _check(key: dg.AssetKey) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec("dbt_tests", asset=key, blocking=True)


@dg.multi_asset(
    name="marts", specs=list(_MARTS.values()), check_specs=[_check(key) for key in _MARTS]
)
def marts(context: dg.AssetExecutionContext) -> Iterator[Any]:
    """One `dbt build` over what changed; it is built only when all of it passed."""
    settings = load_settings()
    keys = KeyStore.open(settings.home)
    is_full_refresh = needs_full_refresh(settings)
    errors = ErrorStore(settings.home, keys)
    rules_built = errors.rules_to_build(settings.errors.grouping_version)
    target = target_folder(settings)
    arguments = ["build", "--exclude-resource-type", "unit_test"]
    arguments += ["--full-refresh"] if is_full_refresh else []
    with writer_lock(settings, context.log.info):
        catalog = Catalog(settings.lake_path)
        reopen_after_upgrade(catalog, datetime.now(UTC).replace(tzinfo=None))
        if catalog.layout("marts") != LAYOUT:
            upgrade(settings, keys, ensure_manifest(settings))
        covered = catalog.dirty_hours()
        environment = dbt_environment(settings, keys, is_full_refresh=is_full_refresh)
        with process_environment(environment):
            done = run_dbt(arguments, target)
        for line in done.failures:
            context.log.error(line)
        passes.note(settings.home, unaccounted=_unaccounted(done))
        if done.succeeded:
            catalog.clean(covered)
            catalog.note_layout("marts", LAYOUT)
    for key in _IN_ORDER:
        name = key.path[-1]
        if name in done.models:
            yield dg.MaterializeResult(asset_key=key, metadata={"seconds": done.models[name]})
            yield _as_check(key, done.tests.get(name, MartTests()))
    if not done.succeeded:
        raise dg.Failure("dbt did not succeed: the lines above name the nodes")
    errors.note_built(rules_built)


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
