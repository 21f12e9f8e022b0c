"""The marts: dbt builds the hours that changed; its tests become asset checks."""

import json
from collections.abc import Iterator
from typing import Any

import dagster as dg
from dagster_dbt import (
    DagsterDbtTranslator,
    DagsterDbtTranslatorSettings,
    DbtProject,
    dbt_assets,
)
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

from dagster_project.dbt_run import DbtRun, run_dbt
from dagster_project.dbt_words import without_words
from dagster_project.warehouse import (
    DBT_PROJECT,
    dbt_environment,
    is_manifest_stale,
    needs_full_refresh,
    parse_dbt_project,
    process_environment,
    writer_lock,
)
from ingestion.catalog import Catalog
from ingestion.errors.store import ErrorStore
from ingestion.settings import load_settings
from privacy.keys import KeyStore

project = DbtProject(project_dir=DBT_PROJECT, profiles_dir=DBT_PROJECT)
if is_manifest_stale(project.manifest_path):
    parse_dbt_project()


class _Translator(DagsterDbtTranslator):
    def get_group_name(self, dbt_resource_props: Any) -> str | None:
        """The dbt layer and subject: staging, intermediate, performance, platform."""
        return dbt_resource_props["fqn"][-2]


_MANIFEST = json.loads(project.manifest_path.read_text())
_TRANSLATOR = _Translator(settings=DagsterDbtTranslatorSettings(enable_source_tests_as_checks=True))


@dbt_assets(manifest=_MANIFEST, project=project, dagster_dbt_translator=_TRANSLATOR)
def marts(context: dg.AssetExecutionContext) -> Iterator[Any]:
    """One `dbt build` over the dirty hours; they are clean only when all of it passed."""
    settings = load_settings()
    keys = KeyStore.open(settings.home)
    is_full_refresh = needs_full_refresh(settings)
    catalog = Catalog(settings.lake_path)
    covered = catalog.dirty_hours()
    errors = ErrorStore(settings.home, keys)
    rules_built = errors.rules_to_build(settings.errors.grouping_version)
    arguments = ["build", "--exclude-resource-type", "unit_test"]
    arguments += ["--full-refresh"] if is_full_refresh else []
    target = settings.home / "dagster" / "dbt"
    with writer_lock(settings, context.log.info):
        environment = dbt_environment(settings, keys, is_full_refresh=is_full_refresh)
        with process_environment(environment), without_words(target, context.log.error):
            done = run_dbt(arguments, target)
        yield from _told(context, done)
        if not done.succeeded:
            raise dg.Failure("dbt did not succeed: the lines above name the nodes")
        catalog.clean(covered)
    errors.note_built(rules_built)


def _told(context: dg.AssetExecutionContext, done: DbtRun) -> Iterator[Any]:
    """What dbt did in Dagster's words: a materialization a model, a check result a test."""
    for event in done.events:
        message = DbtCoreCliEventMessage(raw_event=event, event_history_metadata={})
        yield from message.to_default_asset_events(
            manifest=_MANIFEST, dagster_dbt_translator=_TRANSLATOR, context=context, project=project
        )
