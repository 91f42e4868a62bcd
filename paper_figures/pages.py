"""Pictures of two pages: the form of ``trisynth serve``, and a generator that is registered as a model of MLflow.

    python paper_figures/pages.py

Fits the circuit to ``paper_cohort`` in a temporary folder, fills in the form, and registers the model of one job.
Writes ``docs/scale/form.png`` and ``docs/scale/registered.png``. Needs Debian's chromium (``apt-get install
chromium``).
"""

import base64
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "docs" / "scale"
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--no-first-run", "--log-level=3", "--hide-scrollbars", "--remote-debugging-pipe"),
)
SECONDS = 300
# Fills in the form, and waits for the rows that it shows.
FILL = """
document.getElementById('n').value = 6; document.getElementById('seed').value = 1;
document.getElementById('form').requestSubmit();
"""
UNFOLD = "for (const e of document.querySelectorAll('td')) if (e.innerText.includes('Inputs')) e.click();"
JOB = "dataset=paper_cohort generator=circuit classifier=logistic arms=minimal metrics=minimal tracking.model=true"


class Browser:
    """Headless browser that is directed through two pipes."""

    def __init__(self, profile: Path, width: int, height: int):
        read, self._to = os.pipe()
        self._from, write = os.pipe()

        def places() -> None:
            os.dup2(read, 103), os.dup2(write, 104)
            os.dup2(103, 3), os.dup2(104, 4)

        flags = (*FLAGS, f"--user-data-dir={profile}", f"--window-size={width},{height}")
        self.process = subprocess.Popen(
            ["chromium", *flags], preexec_fn=places, pass_fds=(3, 4), stderr=subprocess.DEVNULL
        )
        os.close(read), os.close(write)
        self._held, self._number, self._session = b"", 0, None
        target = self("Target.createTarget", url="about:blank")["targetId"]
        self._session = self("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def __call__(self, method: str, **parameters: object) -> dict:
        """Send a command and return its answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        os.write(
            self._to, json.dumps(message | ({"sessionId": self._session} if self._session else {})).encode() + b"\0"
        )
        while True:
            while b"\0" not in self._held:
                self._held += os.read(self._from, 1 << 20)
            text, _, self._held = self._held.partition(b"\0")
            answer = json.loads(text)
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]

    def until(self, condition: str) -> None:
        """Wait until an expression of the page is true."""
        end = time.monotonic() + SECONDS
        while not self("Runtime.evaluate", expression=f"!!({condition})")["result"].get("value"):
            if time.monotonic() > end:
                raise TimeoutError(condition)
            time.sleep(0.5)

    def picture(self, path: Path, box: tuple[int, int, int, int]) -> None:
        """Write the part of the page within a box."""
        image = Image.open(io.BytesIO(base64.b64decode(self("Page.captureScreenshot")["data"])))
        path.parent.mkdir(exist_ok=True)
        image.crop(box).convert("RGB").quantize(96).save(path, optimize=True)


@contextmanager
def server(command: list[str], address: str | None = None) -> Iterator[str]:
    """Run a server; yield its address once it answers."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            address = address or re.search(r"http://\S+", process.stdout.readline())[0]
            end = time.monotonic() + SECONDS
            while time.monotonic() < end:
                with suppress(OSError):
                    urllib.request.urlopen(address).close()
                    break
                time.sleep(0.5)
            yield address
        finally:
            process.terminate()


def form(browser: Browser, folder: Path) -> None:
    """Draw the form with the rows that it shows."""
    command = [
        sys.executable,
        "-m",
        "trisynth",
        "serve",
        "dataset=paper_cohort",
        f"paths.cache={folder}/cache",
        "port=0",
    ]
    with server(command) as address:
        browser("Page.navigate", url=address)
        browser.until("document.querySelectorAll('#columns tr').length > 2")
        browser("Runtime.evaluate", expression=FILL)
        browser.until("document.querySelectorAll('#rows tr').length > 6")
        browser.picture(OUT / "form.png", (0, 0, 1140, 840))


def registered(browser: Browser, folder: Path) -> None:
    """Draw the page of a registered model."""
    database = f"sqlite:///{folder}/mlflow.db"
    line = [sys.executable, "-m", "trisynth", "run", *JOB.split(), f"tracking.uri={database}"]
    line += [f"paths.{name}={folder / name}" for name in ("cache", "runs", "sweeps")]
    subprocess.run(line, check=True, stdout=subprocess.DEVNULL, cwd=folder, env={**os.environ, "PYTHONPATH": PATH})
    code = (
        "import mlflow, sys; mlflow.set_tracking_uri(sys.argv[1]); "
        "runs = mlflow.search_runs(search_all_experiments=True, filter_string=\"params.generator = 'circuit'\"); "
        "mlflow.register_model(f'runs:/{runs.run_id[0]}/model', 'patients')"
    )
    subprocess.run([sys.executable, "-c", code, database], check=True, capture_output=True)
    os.environ["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", database, "--host", "127.0.0.1"]
    with server([*command, "--port", "5056", "--workers", "1"], "http://127.0.0.1:5056") as address:
        browser("Page.navigate", url=f"{address}/#/models/patients/versions/1")
        browser.until("document.body.innerText.includes('Inputs')")
        browser("Runtime.evaluate", expression=UNFOLD)
        time.sleep(3)
        # Without the menu on the left and the assistant on the right.
        browser.picture(OUT / "registered.png", (196, 6, 1484, 520))


PATH = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])


def main() -> None:
    """Draw both pages."""
    os.chdir(ROOT)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        for number, (draw, width, height) in enumerate(((form, 1140, 840), (registered, 2000, 900))):
            browser = Browser(folder / f"profile-{number}", width, height)
            try:
                draw(browser, folder)
            finally:
                browser.process.kill()
                browser.process.wait()


if __name__ == "__main__":
    main()
