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
HEALTHCHECK --interval=60s --timeout=15s --start-period=60s --start-interval=5s \
    CMD ["python", "-m", "leaderboard.cli", "doctor", "--health", "--role", "web"]
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
# The same image publishes and invites: run exactly one each, with the command `python -m worker publish` or `reap` and
# with ROLE set to what it does, which the health check looks for.
ENV ROLE=worker
HEALTHCHECK --interval=60s --timeout=15s --start-period=120s --start-interval=5s \
    CMD ["sh", "-c", "exec python -m leaderboard.cli doctor --health --role \"$ROLE\""]
CMD ["python", "-m", "worker", "work"]
