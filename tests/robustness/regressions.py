"""Cases of known defects, by name. They are run before any others."""

import regressions_inputs
import regressions_runs

CASES = {**regressions_inputs.CASES, **regressions_runs.CASES}
