"""The marts: dbt builds the hours that changed; its tests become asset checks."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
from dagster_dbt import (
    DagsterDbtTranslator,
    DagsterDbtTranslatorSettings,
    DbtCliResource,
    DbtProject,
    dbt_assets,
)

from dagster_project.dbt_words import without_words
from dagster_project.manifest import ensure_manifest, target_folder
from dagster_project.warehouse import (
    DBT,
    DBT_PROJECT,
    dbt_environment,
    needs_full_refresh,
    process_environment,
    writer_lock,
)
from ingestion.catalog import Catalog
from ingestion.errors.store import ErrorStore
from ingestion.settings import load_settings
from privacy.keys import KeyStore

_settings = load_settings()
project = DbtProject(
    project_dir=DBT_PROJECT, profiles_dir=DBT_PROJECT, target_path=target_folder(_settings)
)


class _Translator(DagsterDbtTranslator):
    def get_group_name(self, dbt_resource_props: Any) -> str | None:
        """The dbt layer and subject: staging, intermediate, performance, platform."""
        return dbt_resource_props["fqn"][-2]


@dbt_assets(
    manifest=ensure_manifest(_settings),
    project=project,
    dagster_dbt_translator=_Translator(
        settings=DagsterDbtTranslatorSettings(enable_source_tests_as_checks=True)
    ),
)
def marts(context: dg.AssetExecutionContext) -> Iterator[Any]:
    """One `dbt build` over the dirty hours; they are clean only when all of it passed."""
    settings = load_settings()
    keys = KeyStore.open(settings.home)
    is_full_refresh = needs_full_refresh(settings)
    catalog = Catalog(settings.lake_path)
    covered = catalog.dirty_hours()
    errors = ErrorStore(settings.home, keys)
    rules_built = errors.rules_to_build(settings.errors.grouping_version)
    environment = dbt_environment(settings, keys, is_full_refresh=is_full_refresh)
    dbt = DbtCliResource(
        project_dir=str(DBT_PROJECT),
        profiles_dir=str(DBT_PROJECT),
        dbt_executable=str(DBT),
    )
    arguments = ["build", "--full-refresh"] if is_full_refresh else ["build"]
    target = target_folder(settings)
    with writer_lock(settings, context.log.info):
        environment = dbt_environment(settings, keys, is_full_refresh=is_full_refresh)
        with process_environment(environment), without_words(target, context.log.error):
            yield from dbt.cli(arguments, context=context, target_path=target).stream()
    catalog.clean(covered)
    errors.note_built(rules_built)
