"""Write what code knows about families of models into docs/models.md: ``python scripts/write_models_page.py``.

The overview, and a block of facts below every heading ``### `NAME` ``, are written anew; all other text is left as it is. A
family without a heading gets one at the end.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sim2real.diffusion.families import families
from sim2real.diffusion.families.table import facts_of

PAGE = Path(__file__).parents[1] / "docs" / "models.md"
BEGIN, END = "<!-- written by scripts/write_models_page.py -->", "<!-- end -->"


def overview(rows: list[dict[str, Any]]) -> str:
    """A table of all families."""
    lines = ["| family | runs | follows | noise | frames, size | verified |", "|---|---|---|---|---|---|"]
    for row in rows:
        where = f"{row['frames']}, multiples of {row['size_multiple']}" if row["size_multiple"] > 1 else row["frames"]
        runs = "yes" if row["runs"] else "export only"
        name = f"[`{row['name']}`](#{row['name']})"
        lines.append(f"| {name} | {runs} | {row['follows']} | {row['noise']} | {where} | {'; '.join(row['verified'])} |")
    return "\n".join(lines)


def block(row: dict[str, Any]) -> str:
    """What is known of one family."""
    lines = [f"{row['remarks']}\n"] if row.get("remarks") else []
    lines += [_command(row), ""]
    lines.append("| weights | license | memory, estimated, in bfloat16 |\n|---|---|---|")
    for one in row["checkpoints"]:
        gate = "; gated: accept it on the model's page" if one["gated"] else ""
        revision = f" (revision `{one['revision']}`)" if one["revision"] else ""
        lines.append(f"| `{one['hub_id']}`{revision} | {one['license']}{gate} | {_memory(one)} |")
    if not row["checkpoints"]:
        lines.append("| ships with the project | Apache-2.0 | about 1 GB |")
    lines += ["", *(f"- {line}" for line in _facts(row))]
    return "\n".join(lines)


def _command(row: dict[str, Any]) -> str:
    size = row.get("made_for", "").partition(" of ")[2]
    frames = row.get("made_for", "").partition(" ")[0]
    shape = f" --size {size} --frames {frames}" if size else ""
    render = f"sim2real render scenes/kitchen.yaml --for {row['name']}{shape} -o out/clip"
    if not row["runs"]:
        return f"```bash\n{render}\nsim2real export out/clip --to latents --for {row['name']} -o out/latents.pt\n```"
    first = " --first-frame rgb" if row.get("first_frame") == "must" else ""
    prompt = " --prompt auto" if row.get("prompt") else ""
    lora = " --lora FILE" if row["needs_lora"] else ""
    model = "" if row["name"] == "embedded" else f" --model {row['name']}"
    return f"```bash\n{render}\nsim2real generate out/clip{model}{prompt}{first}{lora}\n```"


def _memory(one: dict[str, Any]) -> str:
    if "weights_bytes" not in one:
        return "not known here"
    rest = one["working_bytes"] / 1e9
    whole, part = one["weights_bytes"] / 1e9 + rest, one["largest_part_bytes"] / 1e9 + rest
    return f"{whole:.0f} GB; {part:.0f} GB with `--offload model`"


def _facts(row: dict[str, Any]) -> list[str]:
    lines = [f"noise: {row['noise']}; axes {row['axes']}, cast: {row['cast']}, scaled by {row['scaled_by']}"]
    lines.append(f"samplers that keep the warp: {', '.join(row['samplers']) or 'none needed'}")
    if row["samplers_with_draws"]:
        lines.append(
            f"samplers that add noise, with `--draws` ([samplers.md](samplers.md)): {', '.join(row['samplers_with_draws'])}"
        )
    if "made_for" in row:
        lines.append(
            f"made for {row['made_for']}; {row['steps']} steps and guidance {row['guidance']:g} where nothing is asked"
        )
        lines += [f"`--control {name}`: {shows}" for name, shows in row["controls"].items()]
        if len(row["controls"]) > 1:
            lines.append(
                {
                    "blended": "several controls are blended into one",
                    "each": "several controls, each with its weight",
                    "one": "one control at a time",
                }[row["several_controls"]]
            )
        takes = {
            "--first-frame": row["first_frame"] != "not",
            f"--reference (up to {row['references']})": row["references"],
            "--keep": row["keep"],
            "--strength": row["video_to_video"],
            "--onto FOOTAGE --invert B": row["invert"],
            "--lora": row["lora"],
            "--prompt": row["prompt"],
        }
        lines.append(f"takes {', '.join(name for name, yes in takes.items() if yes) or 'no further options'}")
        if row["most_frames"]:
            lines.append(f"at most {row['most_frames']} frames at once")
    else:
        lines.append(f"control: {row['control']}")
    lines.append(
        f"verified: {'; '.join(row['verified'])}. Not verified: anything with real weights."[
            : None if row["name"] != "embedded" else -43
        ]
    )
    return lines


def rewritten(page: str) -> str:
    """The page with the parts that are written anew."""
    rows = [facts_of(family) for family in families().values()]
    page = _between(page, page.index(BEGIN), overview(rows))
    for row in rows:
        heading = f"### {row['name']}\n"
        if heading not in page:
            page = f"{page.rstrip()}\n\n{heading}\n{BEGIN}\n{END}\n"
        page = _between(page, page.index(BEGIN, page.index(heading)), block(row))
    return re.sub(r"\n{3,}", "\n\n", page)


def _between(page: str, begin: int, text: str) -> str:
    end = page.index(END, begin)
    return f"{page[:begin]}{BEGIN}\n{text}\n{page[end:]}"


if __name__ == "__main__":
    PAGE.write_text(rewritten(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
