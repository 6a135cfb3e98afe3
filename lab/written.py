"""The files that are rendered from the description and kept beside it. `python -m lab.written` writes them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from lab.description import Site
from lab.estate import estate
from lab.site import SITE
from lab.truth import truth

HERE = Path(__file__).parent


def rendered(site: Site = SITE) -> Mapping[str, str]:
    """Name → text of each file."""
    return {"estate.yaml": estate(site), "truth.yaml": truth(site)}


def main() -> int:
    """Write what differs, and say so."""
    for name, text in rendered().items():
        path = HERE / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"{name}: written\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
