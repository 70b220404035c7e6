"""The report: one self-contained page that opens from the disk; pictures, videos, figures, settings."""

from __future__ import annotations

import base64
import io
import json
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ... import kinds
from ..folder import Clip
from ..footage import footage_settings
from ..formats import format_of
from ..record import CameraRecord
from ..sensed import sensed_of
from ..whole_files import whole_file
from .colors import id_colors
from .figures import noise_figures
from .sheet import save_sheet, seen_depths, sheet_picture

_HERE = Path(__file__).parent


def write_pages(clip: Clip, *, columns: int = 6) -> Path:
    """Write what people look at, the contact sheet and the report; returns the report's path.

    Args:
        clip: the clip folder.
        columns: how many frames the sheet shows, evenly spread.
    """
    sheet = sheet_picture(clip, columns=columns)
    save_sheet(sheet, clip.path / "sheet.png")
    return write_report(clip, sheet=sheet)


def write_report(clip: Clip, path: Path | None = None, *, sheet: Image.Image | None = None) -> Path:
    """Write the report of a clip; it needs no network and no other file.

    Args:
        clip: the clip folder.
        path: where to write it; default ``report.html`` in the clip folder.
        sheet: the contact sheet that it shows, where it is drawn already.

    Returns:
        The file written.
    """
    path = clip.path / "report.html" if path is None else path
    with whole_file(path) as partial:
        partial.write_text(_page(clip, sheet or sheet_picture(clip)), encoding="utf-8")
    return path


def _page(clip: Clip, sheet: Image.Image) -> str:
    name = Path(clip.record.scene.path).name
    sections = [
        f"<h1>{escape(name)}</h1>",
        f'<p class="lead">{escape(clip.record.scene.path)} · sha256 <code>{escape(clip.record.scene.sha256[:16])}…</code></p>',
        _cards(clip),
        _videos(clip),
        "<h2>Contact sheet</h2>",
        f'<figure><img alt="contact sheet" src="{_picture_data(sheet)}"></figure>',
        _surfaces(clip),
        _noise_table(clip),
        _generated(clip),
        _sensors(clip),
        _cameras(clip),
        _instances(clip),
        _settings(clip),
    ]
    style, script = ((_HERE / f"page.{kind}").read_text(encoding="utf-8") for kind in ("css", "js"))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="icon" href="data:,"><title>{escape(name)} · sim2real</title><style>{style}</style></head>\n'
        f"<body><main>{''.join(sections)}</main><script>{script}</script></body></html>\n"
    )


def _cards(clip: Clip) -> str:
    record = clip.record
    facts: list[tuple[str, str]] = [
        ("frames", f"{record.frames}"),
        ("size", f"{record.size[0]} × {record.size[1]}"),
        ("rate", f"{record.fps:g} fps"),
        ("cameras", f"{len(record.cameras)}"),
        ("instances", f"{len(record.instances)}"),
        ("seed", f"{record.seed}"),
    ]
    if record.noise is not None:
        facts += [("noise channels", f"{record.noise.channels}"), ("pixels per latent", f"{record.noise.factor}")]
        beta = record.noise.beta
        shares = beta if isinstance(beta, dict) else {"": beta}
        facts += [("beta", ", ".join(f"{name} {share:g}".strip() for name, share in shares.items()))]
    return (
        '<dl class="cards">' + "".join(f'<div class="card"><dt>{k}</dt><dd>{escape(v)}</dd></div>' for k, v in facts) + "</dl>"
    )


def _videos(clip: Clip) -> str:
    """All videos of all cameras, played in step by one slider."""
    blocks = []
    for camera in clip.cameras:
        folder = clip.folder(camera)
        found = [(kind.name, _caption(clip, kind), folder / f"{kind.name}.mp4") for kind in kinds.KINDS if kind.video]
        found[1:1] = [("generated", d.name, d / "video.mp4") for d in clip.generated(camera)]
        figures = [_video(title, caption, file) for title, caption, file in found if file.is_file()]
        if figures:
            blocks.append(f'<h3>{escape(camera)}</h3><div class="videos">{"".join(figures)}</div>')
    if not blocks:
        return ""
    player = (
        f'<div class="player" data-frames="{clip.frames}" data-fps="{clip.record.fps:g}"><button type="button">Play</button>'
        f'<input type="range" aria-label="frame" min="0" max="{clip.frames - 1}" value="0"><output></output></div>'
    )
    return f"<h2>Videos</h2>{player}{''.join(blocks)}"


def _video(title: str, caption: str, file: Path) -> str:
    data = base64.b64encode(file.read_bytes()).decode("ascii")
    return (
        f'<figure><video muted playsinline preload="auto" src="data:video/mp4;base64,{data}"></video>'
        f"<figcaption>{escape(title)} <span>· {escape(caption)}</span></figcaption></figure>"
    )


def _caption(clip: Clip, kind: kinds.Kind) -> str:
    return kind.of_video[1] if clip.of_video and kind.of_video is not None else str(kind.report)


def _surfaces(clip: Clip) -> str:
    """The middle frame of the kinds that have no video."""
    blocks, frame = [], clip.frames // 2
    for camera in clip.cameras:
        figures, depths = [], seen_depths(clip, camera)
        for kind in (kind for kind in kinds.pictures() if kind.report is not None and not kind.video):
            if clip.has(camera, kind.name):
                still = format_of(kind.name).look(clip.picture(camera, kind.name, frame), depths)
                figures.append(
                    f'<figure><img alt="{kind.name}" src="{_picture_data(Image.fromarray(still))}">'
                    f"<figcaption>{kind.name} <span>· {escape(_caption(clip, kind))}</span></figcaption></figure>"
                )
        if figures:
            blocks.append(f'<h3>{escape(camera)}</h3><div class="videos">{"".join(figures)}</div>')
    return f'<h2>Surfaces</h2><p class="lead">Frame {frame}.</p>{"".join(blocks)}' if blocks else ""


def _noise_table(clip: Clip) -> str:
    if clip.record.noise is None:
        return ""
    head = ["camera", "latent frames", "mean", "variance", "kurtosis", "neighbors", "channels", "standard error"]
    rows = []
    for camera in clip.cameras:
        if clip.has(camera, "noise"):
            f = noise_figures(clip.noise(camera))
            values = (f.mean, f.variance, f.kurtosis, f.neighbors, f.channels, f.standard_error)
            rows.append([camera, str(f.latents), *(f"{v:+.4f}" for v in values[:1]), *(f"{v:.4f}" for v in values[1:])])
    note = (
        '<p class="lead">Independent Gaussian draws have mean 0, variance 1, kurtosis 3 and correlations 0, each within a few '
        "standard errors. Neighbors and channels: mean correlation of adjacent pixels and of adjacent channels.</p>"
    )
    return f"<h2>Noise</h2>{note}{_table(head, rows, numbers_from=1)}" if rows else ""


def _generated(clip: Clip) -> str:
    blocks = []
    for camera in clip.cameras:
        for folder in clip.generated(camera):
            settings = footage_settings(folder)
            rows = [[k, v if isinstance(v, str) else json.dumps(v)] for k, v in settings.items()]
            blocks.append(f"<h3>{escape(camera)} · {escape(folder.name)}</h3>{_table(['', ''], rows, keys=True)}")
    return f"<h2>Generated footage</h2>{''.join(blocks)}" if blocks else ""


def _sensors(clip: Clip) -> str:
    blocks = []
    for camera in clip.cameras:
        if (sensed := sensed_of(clip, camera)) is None:
            continue
        facts = sensed.facts()
        frames = facts.get("frames", [])
        rows = [["sensor", sensed.name], ["seed", facts.get("seed")], ["pictures from", facts.get("source") or "elsewhere"]]
        for key, what in (
            ("moved_px", "rolling shutter moves pixels by up to"),
            ("smeared_px", "motion smears them by up to"),
        ):
            rows.append([what, f"{max((frame.get(key, 0.0) for frame in frames), default=0.0):.2f} px"])
        if sensed.has_depth:
            share = np.mean([frame.get("measured", 1.0) for frame in frames]) if frames else 1.0
            rows.append(["pixels with a measured depth", f"{share:.1%}"])
        blocks.append(f"<h3>{escape(camera)}</h3>{_table(['', ''], rows, keys=True)}")
    return f"<h2>Sensors</h2>{''.join(blocks)}" if blocks else ""


def _cameras(clip: Clip) -> str:
    blocks = []
    for name in clip.cameras:
        camera = clip.camera(name)
        k = camera.intrinsics[0]
        unit, what = ("px/m", "scale sx, sy") if camera.lens.parallel else ("px", "focal lengths fx, fy")
        lens = [["projection", camera.projection]] if camera.projection != "perspective" else []
        lens += [["distortion", ", ".join(f"{c:g}" for c in camera.distortion)]] if camera.distortion else []
        rows = [
            *lens,
            [what, f"{k[0, 0]:.2f}, {k[1, 1]:.2f} {unit}"],
            ["principal point cx, cy", f"{k[0, 2]:.2f}, {k[1, 2]:.2f} px"],
            [
                "intrinsics",
                "constant" if np.ptp(camera.intrinsics, axis=0).max() == 0 else "change over the clip; frame 0 is shown",
            ],
            ["path", _path_length(camera)],
        ]
        if clip.record.depth_range_m is not None:
            near, far = clip.record.depth_range_m
            rows.append(["depth range of the control video", f"{near:.3f} to {far:.3f} m"])
        blocks.append(f"<h3>{escape(name)}</h3>{_table(['', ''], rows, keys=True)}{_matrices(camera)}")
    return f"<h2>Cameras</h2>{''.join(blocks)}"


def _path_length(camera: CameraRecord) -> str:
    steps = np.linalg.norm(np.diff(camera.world_from_camera[:, :3, 3], axis=0), axis=1)
    turns = camera.world_from_camera[1:, :3, 2] * camera.world_from_camera[:-1, :3, 2]
    angle = np.degrees(np.arccos(np.clip(turns.sum(axis=1), -1, 1))).sum()
    return "fixed" if steps.sum() < 1e-9 and angle < 1e-3 else f"{steps.sum():.2f} m, turns {angle:.0f}° in all"


def _matrices(camera: CameraRecord) -> str:
    world = f"world_from_camera (OpenCV axes, metres) =\n{_matrix(camera.world_from_camera[0])}"
    text = f"K =\n{_matrix(camera.intrinsics[0])}\n\n{world}"
    return f"<details><summary>matrices of frame 0</summary><pre>{escape(text)}</pre></details>"


def _matrix(matrix: np.ndarray) -> str:
    return np.array2string(matrix, formatter={"float_kind": lambda v: f"{v: 11.5f}"})


def _instances(clip: Clip) -> str:
    if not clip.record.instances:
        return ""
    rows = []
    for instance in clip.record.instances:
        moved = np.ptp(instance.world_from_instance[:, :3, 3], axis=0).max()
        color = "#{:02x}{:02x}{:02x}".format(*id_colors(instance.id + 1)[-1])
        swatch = f'<span class="swatch" style="background:{color}"></span>'
        motion = "unknown" if clip.of_video else f"{moved:.3f} m" if moved > 1e-6 else "still"
        cells = [instance.name, instance.class_name, motion]
        rows.append(f"<tr><td>{swatch}{instance.id}</td>" + "".join(f"<td>{escape(c)}</td>" for c in cells) + "</tr>")
    head = "".join(f"<th>{h}</th>" for h in ("id", "name", "class", "range of motion"))
    return f'<h2>Instances</h2><div class="scroll"><table><tr>{head}</tr>{"".join(rows)}</table></div>'


def _settings(clip: Clip) -> str:
    record = clip.record
    rows = [["scene", record.scene.path], ["scene sha256", record.scene.sha256]]
    rows += [[f"option {k}", str(v)] for k, v in record.scene.options.items()]
    if record.noise is not None:
        noise = record.noise.model_dump(exclude={"latent_frames"})
        rows += [[f"noise {k}", str(v)] for k, v in noise.items()]
        rows += [["frames of the latents", ", ".join(map(str, record.noise.latent_frames))]]
    if record.rgb is not None:
        rows += [[f"rgb {k}", str(v)] for k, v in record.rgb.model_dump(exclude_none=True).items()]
    rows += [[f"version of {k}", v] for k, v in record.versions.items()]
    return f"<h2>Settings</h2>{_table(['', ''], rows, keys=True)}"


def _table(head: list[str], rows: list[list[Any]], *, keys: bool = False, numbers_from: int | None = None) -> str:
    def cell(place: int, value: Any) -> str:
        kind = "key" if keys and place == 0 else "number" if numbers_from is not None and place >= numbers_from else ""
        return f'<td class="{kind}">{escape(str(value))}</td>'

    kinds = ["number" if numbers_from is not None and i >= numbers_from else "" for i in range(len(head))]
    heads = "".join(f'<th class="{kind}">{escape(h)}</th>' for kind, h in zip(kinds, head, strict=True))
    top = f"<tr>{heads}</tr>" if any(head) else ""
    body = "".join("<tr>" + "".join(cell(i, v) for i, v in enumerate(row)) + "</tr>" for row in rows)
    return f'<div class="scroll"><table>{top}{body}</table></div>'


def _picture_data(picture: Image.Image) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, format="JPEG", quality=88)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
