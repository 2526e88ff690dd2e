# The command `pgqueue`, for workers, `migrate` and the dashboard: docker build -t pgqueue .
# An application of yours is an image of its own, which installs pgqueue-postgres beside it: docs/guides/deploying.md.
FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE pytest_pgqueue.py ./
COPY migrations migrations
COPY examples/wordcount examples/wordcount
COPY pgqueue pgqueue
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.13-slim
COPY --from=build /wheels /wheels
# By the wheel's whole name, because its extras are said behind it.
RUN pip install --no-cache-dir "$(echo /wheels/*.whl)[binary,dashboard,prometheus]" && rm -r /wheels
RUN useradd --system --uid 10001 --no-create-home pgqueue
USER 10001
# Where modules named with --app are looked for first.
WORKDIR /app
# Exec form, so that TERM reaches the worker and no shell.
ENTRYPOINT ["pgqueue"]
CMD ["--help"]
