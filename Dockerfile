FROM python:3.11-slim-bookworm AS build
WORKDIR /build
RUN python -m venv /opt/cmdb
COPY requirements/runtime.txt requirements/
RUN /opt/cmdb/bin/pip install --no-cache-dir --require-hashes --no-deps -r requirements/runtime.txt
COPY . .
RUN /opt/cmdb/bin/pip install --no-cache-dir --no-build-isolation --no-deps .

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /var/lib/cmdb --create-home cmdb
COPY --from=build /opt/cmdb /opt/cmdb
ENV PATH=/opt/cmdb/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    CMDB_STORE=sqlite:////var/lib/cmdb/cmdb.sqlite
WORKDIR /var/lib/cmdb
USER 10001
VOLUME /var/lib/cmdb
EXPOSE 8080
HEALTHCHECK --start-period=20s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/api/v1/health', timeout=3)"]
CMD ["cmdb", "serve", "--host", "0.0.0.0", "--port", "8080"]
