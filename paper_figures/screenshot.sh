#!/usr/bin/env bash
# The MLflow UI as a browser shows it: paper_figures/screenshot.sh [experiment-id]
# Needs a sweep in mlflow.db and Debian's chromium (apt-get install chromium).
set -euo pipefail
cd "$(dirname "$0")/.."
port=5055
mlflow ui --backend-store-uri sqlite:///mlflow.db --host 127.0.0.1 --port "$port" >/dev/null 2>&1 &
trap 'kill %1' EXIT
until curl --silent --fail "http://127.0.0.1:$port/health" >/dev/null; do sleep 1; done
profile=$(mktemp --directory)
chromium --headless --no-sandbox --disable-gpu --disable-background-networking --disable-component-update \
  --disable-sync --no-first-run --user-data-dir="$profile" --hide-scrollbars --window-size=1680,1000 \
  --virtual-time-budget=60000 --screenshot=paper_figures/mlflow.png \
  "http://127.0.0.1:$port/#/experiments/${1:-1}/runs"
rm -rf "$profile"
