#!/usr/bin/env bash
# What the MLflow UI shows in a browser: five runs of the paper sweep side by side, one per generator.
# Needs the sweep in mlflow.db (`dvc repro`) and Debian's chromium (`apt-get install chromium`).
set -euo pipefail
cd "$(dirname "$0")/.."
uri=sqlite:///mlflow.db
address=$(python - <<PY
from urllib.parse import quote
import json
from mlflow import MlflowClient
client = MlflowClient("$uri")
experiment = client.get_experiment_by_name("trisynth").experiment_id
where = "tags.dataset = 'framingham' and tags.classifier = 'boosting' and params.seed = '0'"
runs = client.search_runs([experiment], where, order_by=["attributes.run_name"])
ids = [run.info.run_id for run in runs]
print(f"#/compare-runs?runs={quote(json.dumps(ids))}&experiments={quote(json.dumps([experiment]))}")
PY
)
port=5055
mlflow ui --backend-store-uri "$uri" --host 127.0.0.1 --port "$port" >/dev/null 2>&1 &
trap 'kill %1' EXIT
until curl --silent --fail "http://127.0.0.1:$port/health" >/dev/null; do sleep 1; done
profile=$(mktemp --directory)
chromium --headless --no-sandbox --disable-gpu --disable-background-networking --disable-component-update \
  --disable-sync --no-first-run --user-data-dir="$profile" --hide-scrollbars --window-size=2000,1250 \
  --virtual-time-budget=90000 --screenshot=paper_figures/mlflow.png "http://127.0.0.1:$port/$address"
rm -rf "$profile"
