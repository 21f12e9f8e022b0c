"""Jobs of a prometheus.yml: what they say is done, and what is not done is named."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric

from ingestion.collectors.prometheus.exposition import read_exposition
from ingestion.collectors.prometheus.exposition_otlp import ScrapeTime, to_otlp
from ingestion.collectors.prometheus.jobs import Jobs, Target, load_jobs
from ingestion.collectors.prometheus.relabelling import read_rules, relabel
from ingestion.collectors.prometheus.scraped_samples import labelled
from privacy.gate.allow_list import load_allow_list
from privacy.gate.treatments import service

_STATIC = {"static_configs": [{"targets": ["web:80"]}]}


def _load(folder: Path, **config: Any) -> Jobs:
    path = folder / "prometheus.yml"
    path.write_text(yaml.safe_dump(config))
    return load_jobs(path)


def _job(folder: Path, **keys: Any) -> Jobs:
    return _load(folder, scrape_configs=[{"job_name": "shop", **_STATIC, **keys}])


def _scraped(body: str, target: Target) -> dict[str, dict[str, str]]:
    exposition = labelled(read_exposition(body, "text/plain"), target)
    return {m.name: _labels(m) for m in to_otlp(exposition, ScrapeTime(10**18, None))}


def _labels(metric: Metric) -> dict[str, str]:
    data = getattr(metric, metric.WhichOneof("data"))
    return {a.key: a.value.string_value for a in data.data_points[0].attributes}


def test_every_value_of_a_parameter_is_sent(tmp_path: Path) -> None:
    matches = ['{job="prometheus"}', '{__name__=~"job:.*"}']
    (target,) = _job(tmp_path, params={"match[]": matches, "format": ["text"]}).targets
    asked = urlsplit(target.url)
    assert parse_qs(asked.query) == {"match[]": matches, "format": ["text"]}
    assert not set(asked.query) & set('{}"[]')


def test_relabelling_decides_the_first_value_of_a_parameter_alone(tmp_path: Path) -> None:
    rules = [
        {"source_labels": ["__address__"], "target_label": "__param_target"},
        {"target_label": "__param_a", "replacement": "x"},
    ]
    (target,) = _job(tmp_path, params={"a": ["1", "2"]}, relabel_configs=rules).targets
    assert parse_qs(urlsplit(target.url).query) == {"a": ["x", "2"], "target": ["web:80"]}


@pytest.mark.parametrize(
    ("keys", "named"),
    [
        ({"oauth2": {"client_id": "x"}}, "shop: oauth2 is not supported"),
        ({"scrape_intervall": "5s"}, "shop: scrape_intervall is not supported"),
        ({"sample_limit": 10}, "shop: sample_limit is not supported"),
        ({"file_sd_configs": []}, "shop: file_sd_configs is not supported"),
        ({"tls_config": {"min_version": "TLS13"}}, "tls_config: min_version is not supported"),
        ({"params": {"format": "text"}}, "params: format must be a list"),
        ({"static_configs": [{"targets": "web:80"}]}, "targets must be a list"),
        ({"scrape_interval": "0s"}, "scrape_interval must be more than 0s"),
        ({"basic_auth": {"user": "x"}}, "basic_auth: user is not supported"),
        ({"bearer_token": "a", "basic_auth": {"username": "b"}}, "exclude each other"),
        ({"bearer_token": "a\u20ac"}, "HTTP cannot send"),
        ({"proxy_url": "nowhere"}, "proxy_url must be"),
        ({"honor_labels": "perhaps"}, "honor_labels must be true or false"),
        ({"metric_relabel_configs": [{"action": "rename"}]}, "action rename is not supported"),
        ({"relabel_configs": [{"regex": "(", "target_label": "a"}]}, "regex of a relabel rule"),
        ({"relabel_configs": [{"action": "replace"}]}, "needs target_label"),
        ({"job_name": None}, "a job needs job_name"),
    ],
)
def test_what_a_job_says_and_is_not_done_is_named(
    tmp_path: Path, keys: dict[str, Any], named: str
) -> None:
    assert any(named in reason for reason in _job(tmp_path, **keys).skipped)


def test_keys_beside_the_jobs_are_named_too(tmp_path: Path) -> None:
    jobs = _load(
        tmp_path,
        **{"global": {"external_labels": {"a": "b"}}, "remote_write": [], "rule_files": ["x"]},
        scrape_configs=[{"job_name": "shop", **_STATIC}],
    )
    assert len(jobs.targets) == 1
    assert {reason.partition(" ")[2] for reason in jobs.skipped} == {
        "external_labels is not supported",
        "remote_write is not supported",
        "rule_files is not supported",
    }


def test_an_ordinary_job_names_nothing(tmp_path: Path) -> None:
    assert _job(tmp_path, honor_labels=True, scheme="https", scrape_timeout="1s").skipped == ()


def test_jobs_of_other_files_are_scraped_and_a_broken_one_is_named(tmp_path: Path) -> None:
    more = {"scrape_configs": [{"job_name": "more", **_STATIC}]}
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "a.yml").write_text(yaml.safe_dump(more))
    (tmp_path / "jobs" / "b.yml").write_text("{")
    jobs = _load(tmp_path, scrape_config_files=["jobs/*.yml", "none.yml"])
    assert [target.job for target in jobs.targets] == ["more"]
    assert any("b.yml is not YAML" in reason for reason in jobs.skipped)
    assert any("none.yml" in reason for reason in jobs.skipped)


def test_a_job_speaks_to_its_target_as_it_says(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("abc\n")
    (target,) = _job(
        tmp_path,
        bearer_token_file="token",
        tls_config={"insecure_skip_verify": True},
        proxy_url="http://proxy:3128",
        follow_redirects=False,
        http_headers={"X-Scope": {"values": ["a", "b"]}},
    ).targets
    assert target.headers == {"Authorization": "Bearer abc", "X-Scope": "a, b"}
    http = target.http
    assert not isinstance(http.verify, bool)
    assert not http.verify.check_hostname
    assert (http.proxy_url, http.follow_redirects) == ("http://proxy:3128", False)


def test_values_are_the_texts_that_are_written(tmp_path: Path) -> None:
    path = tmp_path / "prometheus.yml"
    path.write_text(
        "scrape_configs: [{job_name: 007, static_configs: [{targets: ['a:1'], labels: {on: true, day: 2026-01-01}}]}]"
    )
    (target,) = load_jobs(path).targets
    assert (target.job, target.labels) == ("007", {"on": "true", "day": "2026-01-01"})


def test_every_relabel_action_does_what_prometheus_does() -> None:
    labels = {"a": "web-1:80", "b": "web-1:80", "__meta_zone": "x"}

    def done(**rule: Any) -> dict[str, str] | None:
        return relabel(dict(labels), read_rules([rule]))

    def to(text: str) -> str:
        rule = {"source_labels": ["a"], "regex": r"(.*)-(?P<n>\d+):.*", "target_label": "t"}
        return (done(**rule, replacement=text) or {}).get("t", "")

    assert [to(t) for t in ("$1", "${n}!", "$$1", r"\d$2", "$1x")] == [
        "web",
        "1!",
        "$1",
        r"\d1",
        "",
    ]
    assert done(action="keepequal", source_labels=["a"], target_label="b") == labels
    assert done(action="dropequal", source_labels=["a"], target_label="b") is None
    assert (done(action="uppercase", source_labels=["a"], target_label="t") or {})[
        "t"
    ] == "WEB-1:80"
    assert (done(action="labelmap", regex="__meta_(.*)") or {})["zone"] == "x"
    assert done(action="labelkeep", regex="a") == {"a": "web-1:80"}
    assert "b" not in (done(action="labeldrop", regex="b") or {})
    hashed = done(action="hashmod", source_labels=["a"], target_label="t", modulus=8) or {}
    # The last eight bytes of the text's MD5, as Prometheus takes them.
    assert hashed["t"] == "1"


def test_samples_are_relabelled_dropped_and_renamed_with_their_type(tmp_path: Path) -> None:
    rules = [
        {"source_labels": ["__name__"], "regex": "drop_me", "action": "drop"},
        {
            "source_labels": ["__name__"],
            "regex": "old_(.*)",
            "target_label": "__name__",
            "replacement": "new_$1",
        },
        {"regex": "pod", "action": "labeldrop"},
    ]
    (target,) = _job(tmp_path, metric_relabel_configs=rules).targets
    body = (
        'drop_me 1\n# TYPE old_total counter\nold_total{pod="x",a="b"} 2\n'
        '# TYPE old_s histogram\nold_s_bucket{le="+Inf"} 2\nold_s_count 2\n'
    )
    found = _scraped(body, target)
    assert set(found) == {"new_total", "new_s"}
    assert found["new_total"] == {"a": "b", "job": "shop", "instance": "web:80"}


def test_series_that_relabelling_makes_one_are_counted(tmp_path: Path) -> None:
    rules = [{"regex": "a|le", "action": "labeldrop"}]
    (target,) = _job(tmp_path, metric_relabel_configs=rules).targets
    body = 'x{a="1"} 1\nx{a="2"} 2\n# TYPE h histogram\nh_bucket{le="+Inf"} 2\nh_count 2\n'
    faults = labelled(read_exposition(body, "text/plain"), target).faults
    assert sum(faults.values()) == 2


def test_a_label_of_the_target_is_its_own_unless_the_job_honours_the_sample(tmp_path: Path) -> None:
    body = 'up{job="node",instance="n1"} 1\n'
    (strict,) = _job(tmp_path).targets
    (honest,) = _job(tmp_path, honor_labels=True).targets
    assert _scraped(body, strict)["up"] == {
        "job": "shop", "instance": "web:80", "exported_job": "node", "exported_instance": "n1",
    }  # fmt: skip
    assert _scraped(body, honest)["up"] == {"job": "node", "instance": "n1"}


def test_times_of_a_target_count_unless_its_job_does_not_honour_them(tmp_path: Path) -> None:
    (target,) = _job(tmp_path, honor_timestamps=False).targets
    exposition = labelled(read_exposition("a 1 1795890000123\n", "text/plain"), target)
    (metric,) = to_otlp(exposition, ScrapeTime(10**18, None))
    assert metric.gauge.data_points[0].time_unix_nano == 10**18


@pytest.mark.parametrize("job", ["cadvisor", "loki", "pushgateway", "blackbox-http", "ümlaut"])
def test_the_name_that_an_operator_gives_a_job_stays_as_the_component_does(job: str) -> None:
    decide = load_allow_list().decide
    for name in ("job", "exported_job"):
        assert decide("metric", name).treatment == decide("resource", "service.name").treatment
    assert service(job) == job or not job.isascii()
