"""An instance with the tiny code location, as `serve` has ours."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget

from dagster_project.process.serve import OwnContext


@contextmanager
def loaded(
    instance: dg.DagsterInstance, module: str = "tests.dagster_project.process.tiny_location"
) -> Iterator[OwnContext]:
    """The location `tiny`, or the error that its module raises."""
    target = LoadableTargetOrigin(module_name=module)
    origin = InProcessCodeLocationOrigin(target, location_name="tiny")
    with OwnContext(instance, InProcessWorkspaceLoadTarget(origin)) as context:
        yield context
