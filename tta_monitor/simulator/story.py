"""What simulated TTA does: services, routes, models, and how often things go wrong.

Here: constants read off the captured telemetry, as data, and when its one incident is. A calm hour
has the errors that a healthy system has, failed model calls that are tried again; nothing that a player
asks for fails. Not here: making spans (`traffic`).
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Route:
    """One route with its weight, typical duration and what it calls."""

    method: str
    template: str
    weight: float
    median_ms: float
    redis_calls: int = 0
    neo4j_calls: int = 0
    ai_calls: int = 0


@dataclass(frozen=True)
class Model:
    """An AI model with its weight and speed."""

    name: str
    provider: str
    weight: float
    tokens_per_s: float
    first_chunk_ms: float


ROUTES = (
    Route("GET", "/api/v1/gameplay/sessions/{session_id}", 20, 12, redis_calls=2),
    Route("POST", "/api/v1/gameplay/sessions/{session_id}/choices", 14, 380, 3, 2, ai_calls=8),
    Route("POST", "/api/v1/gameplay/message", 12, 160, 2, 1, ai_calls=1),
    Route("POST", "/api/v1/conversation/send", 12, 140, 2, 0, ai_calls=1),
    Route("POST", "/api/v1/gameplay/sessions", 5, 300, 3, 3, ai_calls=6),
    Route("GET", "/api/v1/worlds/", 8, 8, redis_calls=1),
    Route("GET", "/api/v1/players/{player_id}/progress", 7, 18, 1, 2),
    Route("GET", "/api/v1/players/{player_id}/dashboard", 6, 25, 2, 2),
    Route("POST", "/api/v1/auth/login", 5, 90, redis_calls=3),
    Route("GET", "/api/v1/health/readiness", 6, 4),
)
MODELS = (
    Model("llama3.2", "ollama", 5, 45, 180),
    Model("meta-llama/llama-3.1-8b-instruct:free", "openrouter", 3, 80, 320),
    Model("gpt-4o-mini", "openai", 2, 95, 260),
)
REDIS_VERBS = ("GET", "HGETALL", "SETEX", "EXISTS", "SADD")
NEO4J_LABELS = ("Session", "World", "PlayerChoice", "PlayerProfile")
SCENES = ("introduction", "exploration", "challenge", "reflection", "therapeutic", "resolution")
CHOICES = ("narrative", "therapeutic", "skill_building", "emotional_regulation")
AI_ERRORS = ("rate_limit_exceeded", "timeout", "context_length_exceeded")
AI_ERROR_SHARE = 0.01
# One incident that a person can follow: Redis is away for a minute and a half, three times a day.
OUTAGE_LASTS_S = 90
OUTAGE_EVERY_S = 8 * 3_600
_OUTAGE_NOT_BEFORE_S = 180
_OUTAGE_ALIGNED_S = 300


def is_outage(started_s: float, at_s: float) -> bool:
    """Whether Redis is away, Unix seconds; first three to eight minutes after the start.

    On a full five minutes of the clock, so that simulators that run side by side agree on it.
    """
    earliest = started_s + _OUTAGE_NOT_BEFORE_S
    since_first = at_s - math.ceil(earliest / _OUTAGE_ALIGNED_S) * _OUTAGE_ALIGNED_S
    return since_first >= 0 and since_first % OUTAGE_EVERY_S < OUTAGE_LASTS_S
