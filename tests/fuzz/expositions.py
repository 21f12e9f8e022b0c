"""Expositions as public exporters write them, and what is hostile within the two formats.

Here: answers of scrape targets with their content types. Not here: spoiling bytes (`mutations`).
"""

from random import Random

from tests.fuzz.mutations import ODD_NUMBERS, ODD_WORDS

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
_NODE_EXPORTER = """\
# HELP node_cpu_seconds_total Seconds the CPUs spent in each mode.
# TYPE node_cpu_seconds_total counter
node_cpu_seconds_total{cpu="0",mode="idle"} 362812.7890625
node_cpu_seconds_total{cpu="0",mode="iowait"} 459.34
# HELP node_filesystem_avail_bytes Filesystem space available to non-root users in bytes.
# TYPE node_filesystem_avail_bytes gauge
node_filesystem_avail_bytes{device="/dev/sda1",fstype="ext4",mountpoint="/"} 1.3242e+10
# HELP node_uname_info Labeled system information as provided by the uname system call.
# TYPE node_uname_info gauge
node_uname_info{domainname="(none)",machine="x86_64",nodename="web-1",release="6.1.0",sysname="Linux"} 1
# TYPE node_scrape_collector_success gauge
node_scrape_collector_success{collector="cpu"} 1
# HELP go_gc_duration_seconds A summary of pause durations.
# TYPE go_gc_duration_seconds summary
go_gc_duration_seconds{quantile="0"} 2.2e-05
go_gc_duration_seconds{quantile="0.5"} 4.9e-05
go_gc_duration_seconds{quantile="1"} NaN
go_gc_duration_seconds_sum 1.5
go_gc_duration_seconds_count 2801
process_start_time_seconds 1.79e+09
"""
_REDIS_EXPORTER = """\
# HELP redis_commands_duration_seconds_total Total amount of time in seconds spent per command
# TYPE redis_commands_duration_seconds_total counter
redis_commands_duration_seconds_total{cmd="get"} 0.5
redis_commands_duration_seconds_total{cmd="config|get"} 0.000125
# TYPE redis_db_keys gauge
redis_db_keys{db="db0"} 12
redis_db_keys{db="db1"} 0
# TYPE redis_instance_info gauge
redis_instance_info{redis_mode="standalone",redis_version="7.2.4",role="master",process_id="1"} 1
redis_uptime_in_seconds 3.1e+06
# TYPE redis_latency_percentiles_usec summary
redis_latency_percentiles_usec{cmd="get",quantile="50"} 1
redis_latency_percentiles_usec_sum{cmd="get"} 300
redis_latency_percentiles_usec_count{cmd="get"} 12
"""
_PYTHON_CLIENT = """\
# HELP http_request_duration_seconds Time.
# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{handler="/a",le="0.1"} 3.0
http_request_duration_seconds_bucket{handler="/a",le="0.5"} 5.0
http_request_duration_seconds_bucket{handler="/a",le="+Inf"} 6.0
http_request_duration_seconds_count{handler="/a"} 6.0
http_request_duration_seconds_sum{handler="/a"} 2.25
# TYPE http_request_duration_seconds_created gauge
http_request_duration_seconds_created{handler="/a"} 1.7901e+09
# TYPE jobs_total counter
jobs_total{queue="a"} 5 1790000000000
untyped_thing 3
"""
_OPENMETRICS = """\
# HELP rpc_duration_seconds Time of calls.
# TYPE rpc_duration_seconds histogram
# UNIT rpc_duration_seconds seconds
rpc_duration_seconds_bucket{le="0.1"} 8 # {trace_id="0123456789abcdef0123456789abcdef",span_id="0123456789abcdef"} 0.067 1790000000.123
rpc_duration_seconds_bucket{le="+Inf"} 17 # {trace_id="beef"} 9.8
rpc_duration_seconds_count 17
rpc_duration_seconds_sum 324.79
rpc_duration_seconds_created 1790000000.5
# TYPE calls counter
calls_total{shard="0"} 12 # {} 1
calls_created{shard="0"} 1790000000
# TYPE build info
build_info{version="1.2",revision="abc"} 1
# TYPE feature stateset
feature{feature="a"} 1
feature{feature="b"} 0
# TYPE queue gaugehistogram
queue_bucket{le="10"} 4
queue_bucket{le="+Inf"} 5
queue_gcount 5
queue_gsum 21
# TYPE odd unknown
odd 4 1790000000
# EOF
"""
_NATIVE = """\
# TYPE native_seconds histogram
native_seconds {count:24,sum:100,schema:0,zero_threshold:0.001,zero_count:4,positive_spans:[0:2,1:2],negative_spans:[0:2,1:2],positive_deltas:[2,1,-2,3],negative_deltas:[2,1,-2,3]} 1790000000 # {trace_id="0123456789abcdef0123456789abcdef"} 0.5
# TYPE both_seconds histogram
both_seconds {count:2,sum:3,schema:3,zero_threshold:0,zero_count:0,positive_spans:[0:1],positive_buckets:[2]}
both_seconds_bucket{le="1"} 1
both_seconds_bucket{le="+Inf"} 2
both_seconds_count 2
both_seconds_sum 3
# TYPE "quoted.name" gauge
{"quoted.name","a.label"="x"} 5
# EOF
"""
SOUND = (
    (_NODE_EXPORTER, TEXT),
    (_REDIS_EXPORTER, TEXT),
    (_PYTHON_CLIENT, TEXT),
    (_OPENMETRICS, OPENMETRICS),
    (_NATIVE, OPENMETRICS),
)
_TYPES = (
    "counter",
    "gauge",
    "histogram",
    "summary",
    "info",
    "stateset",
    "gaugehistogram",
    "unknown",
    "x",
    "",
)
_NAMES = (
    "a",
    "a_total",
    "a_bucket",
    "a_count",
    "a_sum",
    "a_created",
    "a_info",
    "a_gcount",
    '"a.b"',
    "1a",
    "up",
)


def exposition(chance: Random) -> tuple[bytes, str]:
    """An answer and its content type: a public one, or lines that are odd in one of many ways."""
    if chance.random() < 0.5:
        text, content_type = chance.choice(SOUND)
        return text.encode(), content_type
    lines = [_line(chance) for _ in range(chance.randrange(1, 12))]
    ending = chance.choice(("\n", "\n", "", "\r\n", "\n# EOF\n", "\n# EOF\nlate 1\n"))
    text = chance.choice(("\n", "\n", "\r\n")).join(lines) + ending
    return text.encode("utf-8", "surrogatepass"), chance.choice(
        (TEXT, OPENMETRICS, "", "application/json")
    )


def _line(chance: Random) -> str:
    name = chance.choice(_NAMES)
    kind = chance.randrange(10)
    if kind == 0:
        return f"# TYPE {name} {chance.choice(_TYPES)}"
    if kind == 1:
        return f"# {chance.choice(('HELP', 'UNIT', 'EOF', ''))} {name} {chance.choice(ODD_WORDS)}"
    if kind == 2:
        return chance.choice(("", " ", "#", name, "{", "}", f"{name}{{", f"{name}{{}}", "\0"))
    labels = ",".join(_label(chance) for _ in range(chance.randrange(4)))
    time = chance.choice(("", "", "", f" {chance.choice(ODD_NUMBERS)}", " 1790000000000"))
    exemplar = chance.choice(("", "", "", ' # {a="b"} 1', " # {} NaN 9e99", " # x"))
    return f"{name}{{{labels}}} {chance.choice((*ODD_NUMBERS, '1', '2', '{count:1,schema:0}'))}{time}{exemplar}"


def _label(chance: Random) -> str:
    name = chance.choice(
        ("le", "quantile", "a", "job", "instance", "__name__", "a", "trace_id", "é", "")
    )
    word = chance.choice((*ODD_WORDS, "+Inf", "0.5", "1", "NaN", "x"))
    return f'{name}="{word}"'
