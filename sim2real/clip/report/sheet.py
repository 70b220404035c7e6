"""The contact sheet: what a clip holds, on one picture. Rows are kinds of pictures, columns are frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

from ... import kinds
from ..folder import Clip
from ..footage import footage_frame, footage_length
from ..formats import format_of
from ..sensed import sensed_of
from ..video import coarsened, noise_picture
from ..whole_files import whole_file
from .colors import depth_picture

_PAPER, _INK, _FAINT, _RULE = (250, 250, 248), (28, 30, 34), (122, 126, 134), (222, 222, 218)
_TILE_WIDTH, _GAP, _LABEL, _MARGIN = 300, 8, 176, 36
_NOISE_CELL_PX = 5


@dataclass(frozen=True)
class _Row:
    label: str
    caption: str
    picture: Callable[[int], UInt8[np.ndarray, "_ _ ..."]]
    smooth: bool


def write_sheet(clip: Clip, path: Path | None = None, *, columns: int = 6) -> Path:
    """Draw the contact sheet of a clip.

    Args:
        clip: the clip folder.
        path: where to write it; default ``sheet.png`` in the clip folder.
        columns: how many frames to show, evenly spread.

    Returns:
        The file written.
    """
    return save_sheet(sheet_picture(clip, columns=columns), clip.path / "sheet.png" if path is None else path)


def save_sheet(picture: Image.Image, path: Path) -> Path:
    """Write a contact sheet, whole or not at all."""
    with whole_file(path) as partial:
        picture.save(partial, format="PNG", compress_level=6)
    return path


def sheet_picture(clip: Clip, *, columns: int = 6) -> Image.Image:
    """The contact sheet as a picture in memory."""
    frames = spread(clip.frames, columns)
    blocks = [(camera, rows_of(clip, camera)) for camera in clip.cameras]
    tile_h = round(_TILE_WIDTH * clip.record.size[0] / clip.record.size[1])
    width = 2 * _MARGIN + _LABEL + len(frames) * (_TILE_WIDTH + _GAP) - _GAP
    block_heights = [52 + len(rows) * (tile_h + _GAP) + 18 for _, rows in blocks]
    title = _title_of(clip, width)
    sheet = Image.new("RGB", (width, title.height + sum(block_heights) + _MARGIN - 18), _PAPER)
    draw = ImageDraw.Draw(sheet)
    title.draw(draw)
    top = title.height
    for (camera, rows), height in zip(blocks, block_heights, strict=True):
        _block(sheet, draw, camera, rows, frames, top, tile_h)
        top += height
    return sheet


def spread(frames: int, columns: int) -> list[int]:
    """Frame numbers, evenly spread, first and last included."""
    return sorted({int(f) for f in np.linspace(0, frames - 1, min(frames, columns)).round()})


def rows_of(clip: Clip, camera: str) -> list[_Row]:
    """The rows that a camera's folder can fill; those on request only where they were chosen in place of other kinds."""
    shown = [kind for kind in kinds.KINDS if kind.sheet is not None]
    if all(clip.has(camera, kind.name) for kind in shown if kind.usual):
        shown = [kind for kind in shown if kind.usual]
    shown.sort(key=lambda kind: not kind.usual)
    depths = seen_depths(clip, camera)
    rows = [_row(clip, camera, kind, depths) for kind in shown if clip.has(camera, kind.name)]
    for folder in clip.generated(camera):
        if length := footage_length(folder):
            rows.append(_Row("generated", folder.name, lambda f, d=folder, n=length: footage_frame(d, min(f, n - 1)), True))
    if (sensed := sensed_of(clip, camera)) is not None:
        rows.append(_Row("sensed", sensed.name, sensed.rgb, True))
        if sensed.has_depth:
            rows.append(_Row("sensed depth", "gray: not measured", lambda f: depth_picture(sensed.depth(f), depths), False))
    return rows


def _row(clip: Clip, camera: str, kind: kinds.Kind, depths: tuple[float, float]) -> _Row:
    caption = kind.of_video[0] if clip.of_video and kind.of_video is not None else str(kind.sheet)
    if kind.stored is None:
        return _Row(kind.name, caption, lambda f: _noise_tile(clip, camera, f), False)
    form = format_of(kind.name)
    return _Row(kind.name, caption, lambda f: form.look(clip.picture(camera, kind.name, f), depths), form.smooth)


def seen_depths(clip: Clip, camera: str) -> tuple[float, float]:
    """Nearest and farthest depth that this camera sees, specks aside; the clip's range may suit another camera better."""
    if not clip.has(camera, "depth"):
        return 0.1, 10.0
    depths = [clip.depth(camera, frame)[::4, ::4] for frame in spread(clip.frames, 6)]
    seen = np.concatenate([depth[depth > 0] for depth in depths])
    if not len(seen):
        return 0.1, 10.0
    near, far = (float(v) for v in np.percentile(seen, [2, 98]))
    return near, max(far, 1.05 * near)


def _noise_tile(clip: Clip, camera: str, frame: int) -> np.ndarray:
    """Noise coarse enough to see on a small tile."""
    noise = clip.latents(camera, [clip.noise_record().latent_of(frame)])[0, :3]
    _, height, width = noise.shape
    return noise_picture(coarsened(noise, max(1, min(round(width * _NOISE_CELL_PX / _TILE_WIDTH), height, width))))


@dataclass(frozen=True)
class _Title:
    """The file's name and the clip's facts: side by side where there is room, else below each other."""

    name: str
    facts: str
    width: int

    @property
    def room(self) -> int:
        return self.width - 2 * _MARGIN

    @property
    def below(self) -> bool:
        return _font(30).getlength(self.name) + _font(18).getlength(self.facts) + 2 * _GAP > self.room

    @property
    def height(self) -> int:
        return 100 if self.below else 74

    def draw(self, draw: ImageDraw.ImageDraw) -> None:
        draw.text((_MARGIN, 24), self.name, _INK, font=_fitting(self.name, 30, self.room))
        place, anchor = ((_MARGIN, 66), "la") if self.below else ((self.width - _MARGIN, 34), "ra")
        draw.text(place, self.facts, _FAINT, font=_fitting(self.facts, 18, self.room), anchor=anchor)


def _title_of(clip: Clip, width: int) -> _Title:
    record = clip.record
    frames = "1 frame" if record.frames == 1 else f"{record.frames} frames"
    parts = [frames, f"{record.size[0]}x{record.size[1]} px", f"{record.fps:g} fps", f"seed {record.seed}"]
    if record.noise is not None:
        parts.append(f"noise {record.noise.channels} ch, 1/{record.noise.factor}")
    return _Title(Path(record.scene.path).name, "   ".join(parts), width)


def _block(
    sheet: Image.Image,
    draw: ImageDraw.ImageDraw,
    camera: str,
    rows: list[_Row],
    frames: list[int],
    top: int,
    tile_h: int,
) -> None:
    """One camera: a heading with frame numbers, then its rows."""
    left = _MARGIN + _LABEL
    draw.line((_MARGIN, top, sheet.width - _MARGIN, top), _RULE)
    draw.text((_MARGIN, top + 18), camera, _INK, font=_fitting(camera, 22, _LABEL - 10))
    for column, frame in enumerate(frames):
        x = left + column * (_TILE_WIDTH + _GAP)
        draw.text((x, top + 20), f"frame {frame}", _FAINT, font=_font(18))
    for line, row in enumerate(rows):
        y = top + 52 + line * (tile_h + _GAP)
        draw.text((_MARGIN, y + 4), row.label, _INK, font=_font(20))
        draw.text((_MARGIN, y + 30), row.caption, _FAINT, font=_fitting(row.caption, 16, _LABEL - 10))
        for column, frame in enumerate(frames):
            tile = Image.fromarray(row.picture(frame)).convert("RGB")
            how = Image.Resampling.LANCZOS if row.smooth else Image.Resampling.NEAREST
            sheet.paste(tile.resize((_TILE_WIDTH, tile_h), how), (left + column * (_TILE_WIDTH + _GAP), y))


def _font(size_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size_px)


def _fitting(text: str, size_px: int, width_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The largest font, up to a size, in which a text fits a width."""
    while size_px > 9 and _font(size_px).getlength(text) > width_px:
        size_px -= 1
    return _font(size_px)
