"""Other people's code, run as the course needs it: seeded, quiet, and with one sentence for what fails."""

from __future__ import annotations

import contextlib
import io
import os
import random
import sys
import tempfile
import warnings

import numpy as np
import pandas as pd

from .base import GeneratorError


@contextlib.contextmanager
def borrowed(library: str, seed: int):
    """Run code of a `library`, called by the name that a sentence about a failure can begin with.

    Many libraries draw from the random states that all code shares. Those of Python and numpy, and that of
    torch where it is loaded, start from `seed` here, and are put back afterwards. So are what synthcity
    changes for everybody: warnings, and an option of pandas. Nothing is printed. torch and joblib keep to one
    processor: more would slow down everybody on a shared machine. Raises GeneratorError for any exception.
    """
    import joblib

    # synthcity imports pycox, which makes a folder for data beside its own code. Where somebody else owns the
    # environment, that fails. Here is one that is there already.
    os.environ.setdefault("PYCOX_DATA_DIR", tempfile.gettempdir())
    states = random.getstate(), np.random.get_state()
    option = "mode.chained_assignment"
    try:
        with (
            contextlib.redirect_stderr(io.StringIO()),
            contextlib.redirect_stdout(io.StringIO()),
            warnings.catch_warnings(),
            pd.option_context(option, pd.get_option(option)),
            joblib.parallel_config(backend="sequential"),
            _torch(seed),
        ):
            warnings.simplefilter("ignore")
            random.seed(seed)
            np.random.seed(seed)
            yield
    except Exception as error:
        why = " ".join(str(error).split()) or "no reason given"
        raise GeneratorError(f"{library} failed on this table ({type(error).__name__}): {why}") from error
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])


@contextlib.contextmanager
def _torch(seed: int):
    """torch's own random state and threads. Who needs them imports torch first: it takes seconds to load."""
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(threads)
