"""Which frames count: our own code, without framework wrappers, recursion and build noise.

Here: names as they are compared between releases, machines and SDKs, and whose code a frame is. Not
here: keys (`grouping`). Source: Sentry's grouping, "newstyle" strategies: module before file, no line
numbers, recursion dropped.
"""

import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass

from ingestion.meaning.errors.error_records import Frame

_LIBRARY_PATH = re.compile(
    r"(?:^|/)(?:site-packages|dist-packages|node_modules|lib/python3(?:\.\d+)?)/"
    r"|^node:|^node_internal|^internal/|^<frozen|^<string>|^<__array|^webpack/runtime"
)
_STANDARD = frozenset(sys.stdlib_module_names)
_FRAMEWORKS = frozenset(
    """fastapi starlette uvicorn gunicorn hypercorn anyio asyncio trio sniffio h11 httpcore httpx requests
    urllib3 aiohttp tornado flask werkzeug django rest_framework celery kombu billiard amqp redis neo4j
    psycopg psycopg2 asyncpg sqlalchemy pydantic pydantic_core openai anthropic langchain langchain_core
    langchain_openai opentelemetry sentry_sdk structlog tenacity click typer pytest _pytest pluggy
    multiprocessing concurrent threading contextlib grpc websockets wrapt jinja2""".split()
)
# TTA.dev's primitives run other code; what they run is where an error belongs.
_PRIMITIVES = re.compile(
    r"(?:^|/)(?:primitives/)?(?:observability/instrumented_primitive|core/(?:sequential|parallel|base|"
    r"conditional|routing)|recovery/(?:retry|fallback|timeout|compensation|circuit_breaker\w*)|"
    r"performance/(?:cache|memory)|observability_integration/primitives/\w+)\.py$"
)
_JAVA_LIBRARIES = (
    "java. javax. jdk. sun. com.sun. jakarta. kotlin. kotlinx. scala. groovy. org.springframework. "
    "org.apache. org.hibernate. org.eclipse. org.junit. io.netty. io.grpc. io.micrometer. io.lettuce. "
    "io.opentelemetry. io.sentry. reactor. rx. com.fasterxml. com.google. com.zaxxer. ch.qos. org.slf4j. "
    "okhttp3. retrofit2. redis.clients. org.neo4j. org.postgresql. com.mysql. feign."
).split()
_WRAPPER = re.compile(
    r"_{0,2}(?:(?:a?sync|inner|outer|func|fn|method)_?)?(?:wrapper|wrapped|wrap|decorator|decorated)_?(?:func)?$"
    r"|inner$|_inner$|__call__$|__enter__$|__aenter__$|__exit__$|__aexit__$|call_next$|<lambda>$"
)
_MIDDLEWARE = re.compile(
    r"(?:^|/|\.)\w*(?:middleware|interceptor)s?(?:\.\w+)?(?:/|$)", re.IGNORECASE
)
_PASSES_ON = frozenset(
    {"dispatch", "__call__", "handle", "invoke", "intercept", "doFilter", "next"}
)
_GENERATED = re.compile(
    r"\$\$(?:Lambda|EnhancerBy|FastClassBy|SpringCGLIB|Proxy)[\w$./]*|\$Proxy\d+|\$\d+(?=$|\$)"
    r"|GeneratedMethodAccessor\d+|GeneratedConstructorAccessor\d+"
)
_BUILD_HASH = re.compile(
    r"[.-](?=[0-9a-zA-Z_]*\d)[0-9a-zA-Z_]{6,20}(?=(?:\.chunk)?\.(?:[cm]?js|jsx|ts))"
)
_VERSIONED = re.compile(
    r"(?:v?\d[\w.+-]*|[0-9a-f]{7,40}|[\w-]*\d+\.\d+[\w.-]*|[\w]+-\d{4,}|releases?|current|latest|build|dist)$"
)


@dataclass(frozen=True)
class SiteFrames:
    """What a site says about its code: module prefixes that are or are not its own."""

    in_app: tuple[str, ...] = ()
    not_in_app: tuple[str, ...] = ()


def comparable(frame: Frame, language: str) -> Frame:
    """The frame with what changes between builds, machines and SDKs removed; no line."""
    if language == "java":
        module = _GENERATED.sub("", frame.module)
        function = re.sub(r"^lambda\$(\w+)\$\d+$", r"\1", frame.function)
        return Frame(module, re.sub(r"^(?:access\$\d+)$", "access", function))
    if language == "javascript":
        return Frame(_js_module(frame.module), _js_function(frame.function))
    function = frame.function.rpartition(".")[2] or frame.function
    return Frame(_path(frame.module), function)


def is_in_app(frame: Frame, language: str, site: SiteFrames = SiteFrames()) -> bool:
    """Whether a comparable frame is the site's own code and not a library's or the runtime's."""
    name = frame.module
    if any(name.startswith(prefix) for prefix in site.not_in_app):
        return False
    if any(name.startswith(prefix) for prefix in site.in_app):
        return True
    if language == "java":
        return bool(name) and not name.startswith(tuple(_JAVA_LIBRARIES))
    if _LIBRARY_PATH.search(name) or name in {"", "<anonymous>", "native"}:
        return False
    if language == "javascript":
        return True
    first = name.partition("/")[0].removesuffix(".py")
    return (
        first not in _FRAMEWORKS
        and not ("/" in name and first in _STANDARD)
        and not (
            "/" not in name
            and first in _STANDARD
            and first not in {"test", "code", "profile", "platform"}
        )
    )


def is_wrapper(frame: Frame) -> bool:
    """Whether a frame of our own only passes a call on: decorators, middleware, TTA.dev primitives."""
    if _WRAPPER.match(frame.function) or _PRIMITIVES.search(frame.module):
        return True
    return frame.function in _PASSES_ON and bool(_MIDDLEWARE.search(frame.module))


def without_recursion(frames: Iterable[Frame]) -> list[Frame]:
    """Each place once, at its innermost position: depth of a recursion tells nothing."""
    seen: dict[Frame, None] = {}
    for frame in reversed(list(frames)):
        seen.setdefault(frame)
    return list(reversed(seen))


def _path(path: str) -> str:
    parts = [p for p in path.replace("\\", "/").split("/") if p and p != "."]
    kept = [p for p in parts[:-1] if not _VERSIONED.match(p) or p == "python3"] + parts[-1:]
    return "/".join(kept)


def _js_module(path: str) -> str:
    bare = _BUILD_HASH.sub("", path)
    return bare if bare.startswith("node:") else _path(bare)


def _js_function(name: str) -> str:
    bare = re.sub(r"^(?:async |new )+|\s*\[as [^\]]+\]|[/<*]+$", "", name).strip()
    last = bare.rpartition(".")[2]
    return "<anonymous>" if last in {"", "?", "<anonymous>", "anonymous", "eval"} else last
