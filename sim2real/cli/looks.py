"""``--look list``: what things can be made of, to read."""

from __future__ import annotations

import textwrap


def looks_text() -> str:
    """The looks, and the materials by kind."""
    from ..diffusion.families.embedded.surfaces import looks, materials

    kinds: dict[str, list[str]] = {}
    for material in materials().values():
        kinds.setdefault(material.kind, []).append(material.name)
    width = max(map(len, [*looks(), *kinds])) + 2
    rows = ["looks, as in --look loft; what one does not name is drawn by --seed:"]
    rows += [_row(name, [made_of for names in look.values() for made_of in names], width) for name, look in looks().items()]
    rows += ["", "materials by kind, as in --look table=oak,wall=plaster; a word that several share draws one of them:"]
    rows += [_row(kind, names, width) for kind, names in kinds.items()]
    return "\n".join(rows)


def _row(head: str, names: list[str], width: int) -> str:
    text = ", ".join(dict.fromkeys(names))
    return textwrap.fill(text, 110, initial_indent=f"  {head:<{width}}", subsequent_indent=" " * (width + 2))
