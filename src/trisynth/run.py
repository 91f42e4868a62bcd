"""``python -m trisynth.run``: compose a configuration, run its job or its sweep, show what came out."""

import math
import sys
import traceback
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from trisynth import commandline
from trisynth.errors import InputError


@hydra.main(version_base="1.3", config_path=str(commandline.CONF), config_name="config")
def main(cfg: DictConfig) -> Any:
    """Run one job; in a sweep, also leave its state where the sweep looks for it."""
    from trisynth.execution import execute

    hydra_config = HydraConfig.get()
    if hydra_config.mode == RunMode.RUN:
        with commandline.one_line_errors():
            config = commandline.resolved(cfg)
            result, _ = execute(config)
            commandline.show(result, config)
        return objective(config, result)

    from trisynth.sweeps import State

    state = State(Path(hydra_config.runtime.output_dir), " ".join(hydra_config.overrides.task))
    config = {}
    try:
        config = commandline.resolved(cfg)
        result, cached = execute(config)
        state.write(result.key, "cached" if cached else "done")
        return objective(config, result)
    except Exception as error:
        # One failing job must not stop the others: the sweep reports it at the end and exits with an error.
        message = str(error) if isinstance(error, InputError) else traceback.format_exc()
        state.write(None, "failed", message)
        return objective(config, None)


def objective(config: dict, result: Any) -> float | tuple[float, ...]:
    """The metric, or metrics, that a searching sweeper optimises; NaN for a failed job."""
    names = config.get("objective", "")
    values = [
        result.metrics.get(name, math.nan) if result else math.nan
        for name in ([names] if isinstance(names, str) else names)
    ]
    return values[0] if isinstance(names, str) else tuple(values)


if __name__ == "__main__":
    sys.argv = commandline.checked(sys.argv)
    with commandline.one_line_errors():
        main()
