"""What simulated TTA does: services, routes, models, and how often things go wrong.

Here: constants read off the captured telemetry, as data. Not here: making spans (`traffic`).
"""

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
ERROR_SHARE = 0.012
AI_ERROR_SHARE = 0.02
OUTAGE_EVERY_S = 900
OUTAGE_LASTS_S = 60
