"""The configuration module of "First steps"."""

broker_url = "pyamqp://"
result_backend = "rpc://"

task_serializer = "json"
result_serializer = "json"
accept_content = ["json"]
timezone = "Europe/Oslo"
enable_utc = True

task_routes = {"tests.compat.first_steps.add": "low-priority"}
task_annotations = {"tests.compat.first_steps.add": {"rate_limit": "600/m"}}
