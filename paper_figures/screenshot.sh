#!/usr/bin/env bash
# Compare page of the MLflow UI: generator, classifier and seed of a sweep's runs against their gain in macro-F1.
# Usage: screenshot.sh [database] [data set], by default the paper sweep in mlflow.db (`dvc repro`) on framingham.
# Needs Debian's chromium (`apt-get install chromium`).
set -euo pipefail
database=$(realpath "${1:-$(dirname "$0")/../mlflow.db}")
dataset=${2:-framingham}
cd "$(dirname "$0")/.."
uri=sqlite:///$database
# Generators without loss weights: a numeric axis has no place for a weight that a run lacks.
address=$(python - <<PY
from urllib.parse import quote
import json
from mlflow import MlflowClient
client = MlflowClient("$uri")
experiment = client.get_experiment_by_name("trisynth").experiment_id
runs = client.search_runs([experiment], "tags.dataset = '$dataset'", order_by=["attributes.run_name"])
ids = [run.info.run_id for run in runs if "seed" in run.data.params and "loss.alpha" not in run.data.params]
print(f"#/compare-runs?runs={quote(json.dumps(ids))}&experiments={quote(json.dumps([experiment]))}")
PY
)
port=5055
export MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false # none of its workers is needed
mlflow server --backend-store-uri "$uri" --host 127.0.0.1 --port "$port" --workers 1 >/dev/null 2>&1 &
server=$!
profile=$(mktemp --directory)
trap 'kill $server; rm -rf "$profile"' EXIT
until curl --silent --fail "http://127.0.0.1:$port/health" >/dev/null; do kill -0 $server; sleep 1; done
chromium --headless --no-sandbox --disable-gpu --disable-background-networking --disable-component-update \
  --disable-sync --no-first-run --log-level=3 --user-data-dir="$profile" --hide-scrollbars --window-size=2000,1250 \
  --virtual-time-budget=90000 --screenshot="$profile/page.png" "http://127.0.0.1:$port/$address"
# Without the menu on the left and the assistant on the right.
python - <<PY
from PIL import Image
Image.open("$profile/page.png").crop((196, 6, 1484, 970)).save("paper_figures/mlflow.png", optimize=True)
PY
