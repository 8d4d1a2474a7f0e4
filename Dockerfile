# Two images from one file: `app` serves the pages, `worker` runs models on a GPU and publishes.
#   docker build --target app -t rapport-app .
#   docker build --target worker -t rapport-worker .

FROM python:3.11-slim-bookworm AS base
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# A volume takes over the owner of the folder that it is laid over; over none it belongs to root.
RUN useradd --create-home --uid 1000 rapport \
    && mkdir -p /home/rapport/site/data /home/rapport/.cache/huggingface \
    && chown -R rapport /home/rapport
WORKDIR /home/rapport/site

FROM base AS app
COPY requirements.txt ./
RUN pip install --no-deps -r requirements.txt
COPY --chown=1000 app.py ./
COPY --chown=1000 evaluator ./evaluator
COPY --chown=1000 leaderboard ./leaderboard
USER 1000
ENV RAPPORT_HOST=0.0.0.0
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/', timeout=4)"]
CMD ["python", "app.py"]

FROM base AS worker
# Triton compiles its kernels when a model is loaded. Debian replaces old versions of a package, so none is pinned.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
COPY locks/gpu.txt ./locks/
RUN pip install --no-deps --require-hashes -r locks/gpu.txt
COPY --chown=1000 evaluator ./evaluator
COPY --chown=1000 leaderboard ./leaderboard
COPY --chown=1000 worker ./worker
USER 1000
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s \
    CMD ["python", "-c", "from leaderboard.connection import connect; from leaderboard.settings import Settings; connect(Settings().redis_url)"]
# The same image publishes: run exactly one with the command `python -m worker publish`.
CMD ["python", "-m", "worker", "work"]
