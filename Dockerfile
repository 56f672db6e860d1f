# Builds Careline from hashed requirements, and runs it as an ordinary user on the volume /data.
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
RUN python -m venv /opt/careline
COPY requirements/run.txt requirements/run.txt
RUN /opt/careline/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements/run.txt
# Our own package; its dependencies are there already.
COPY pyproject.toml README.md LICENSE ./
COPY careline careline
RUN /opt/careline/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps .

FROM python:3.11-slim-bookworm
# pg_dump and psql for backup, restore and the copy before a migration on PostgreSQL 15.
RUN apt-get update && apt-get install -y --no-install-recommends postgresql-client-15 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin careline \
 && install -d -o careline -g careline -m 0700 /data
COPY --from=build /opt/careline /opt/careline
ENV PATH=/opt/careline/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 CARELINE_DATA=/data CARELINE_LOG_FORMAT=json
USER careline
VOLUME /data
WORKDIR /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
CMD ["careline", "serve", "--host", "0.0.0.0"]
