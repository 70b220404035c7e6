"""Is there a seam in long clips, and does memory grow? ``python -m benchmarks.long_clips [--frames 500]``.

The kitchen's 49 frames are rendered once at 64x96; a long clip goes through them there and back again. Footage of the embedded
model, which streams in stretches of frames, is made for 49 frames and for all, each in a process of its own: peak memory. Then
the change across borders against the changes inside: the mean absolute difference of successive frames, in steps of 8 bits,
less that of the render's frames, which moves as much. A border is a seam if its change is not among those inside.

The same for windows of a tiny Wan-VACE with random weights, which shows what joins windows, not what a trained model does.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.machine import machine
from sim2real.clip import Clip, read_clip, write_record
from sim2real.clip.footage import footage_frame
from sim2real.diffusion import GenerateOptions, LargeModelOptions, family_of, generate
from sim2real.render import RenderOptions, render_clip
from sim2real.scene import LoadOptions, load

KITCHEN = Path(__file__).parent.parent / "scenes" / "kitchen.yaml"
SIZE = (64, 96)
RENDERED = 49
STRETCH = 2
"""Frames that the embedded model is given at once."""
WINDOW = 17


def there_and_back(source: Clip, folder: Path, frames: int) -> Clip:
    """A longer clip of the same frames, forwards and backwards in turn; its files are links."""
    turn = 2 * (source.frames - 1)
    shown = [source.frames - 1 - abs(frame % turn - source.frames + 1) for frame in range(frames)]
    record, noise, step = source.record, source.noise_record(), source.noise_record().temporal_factor or 1
    cameras = {
        name: one.model_copy(update={"world_from_camera": one.world_from_camera[shown]}) for name, one in record.cameras.items()
    }
    instances = [one.model_copy(update={"world_from_instance": one.world_from_instance[shown]}) for one in record.instances]
    latents = list(range(0, frames, step))
    changed = noise.model_copy(update={"latent_frames": latents})
    whole = record.model_copy(update={"frames": frames, "cameras": cameras, "instances": instances, "noise": changed})
    folder.mkdir()
    write_record(folder / "clip.json", whole)
    for camera in source.cameras:
        for kind in (path for path in source.folder(camera).iterdir() if path.is_dir()):
            (folder / camera / kind.name).mkdir(parents=True)
            for frame, old in enumerate(shown):
                path = source.frame_path(camera, kind.name, old)
                if path.exists():
                    os.link(path, folder / camera / kind.name / f"{frame:06d}{path.suffix}")
        np.save(folder / camera / "noise.npy", source.noise(camera)[[shown[frame] // step for frame in latents]])
    return read_clip(folder)


def rendered(folder: Path, model: str | None) -> Clip:
    """The kitchen's frames for a family of models."""
    family = family_of(model)
    only = frozenset({*family.needs, "noise", "rgb"})
    scene = load(KITCHEN, LoadOptions(frames=RENDERED, size=SIZE))
    return render_clip(scene, folder, RenderOptions(layout=family.layout, only=only, pages=False))


def _made(clip: Path, options: GenerateOptions, answer: multiprocessing.Queue) -> None:
    begun = time.perf_counter()
    generate(clip, options)
    answer.put((time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def made(clip: Clip, options: GenerateOptions) -> tuple[float, float]:
    """Footage of a clip, made in a process of its own: its seconds, and its peak memory in MiB."""
    context = multiprocessing.get_context("spawn")
    answer = context.Queue()
    process = context.Process(target=_made, args=(clip.path, options, answer))
    process.start()
    found = answer.get()
    process.join()
    return found


def changes(clip: Clip) -> np.ndarray:
    """From every frame to the next: the change of the newest footage of the first camera, less that of its render."""
    camera = clip.cameras[0]
    folder = clip.generated(camera)[-1]
    pairs = ((footage_frame(folder, frame), clip.rgb(camera, frame)) for frame in range(clip.frames))
    before, found = next(pairs), []
    for pair in pairs:
        footage, render = (np.abs(new.astype(np.int16) - old).mean() for new, old in zip(pair, before, strict=True))
        found.append(footage - render)
        before = pair
    return np.array(found)


def row(name: str, found: np.ndarray, borders: np.ndarray) -> str:
    """Changes across borders and inside, as a row of a table; ``borders`` are changes, by their earlier frame."""
    across, inside = found[borders], np.delete(found, borders)
    low, high = np.percentile(inside, [0.5, 99.5])
    outside = np.mean((across < low) | (across > high))
    return (
        f"| {name} | {across.mean():.2f} ± {across.std():.2f} | {inside.mean():.2f} ± {inside.std():.2f} | {across.max():.2f} "
        f"| {inside.max():.2f} | {100 * outside:.1f} % |"
    )


def embedded(folder: Path, frames: int) -> None:
    """Memory and seams of the model that streams."""
    clip = rendered(folder / "short", None)
    long = there_and_back(clip, folder / "long", frames)
    options = GenerateOptions(camera=clip.cameras[0], camera_effects="none")
    print("\n| frames | seconds per frame | peak memory, MiB |\n|---|---|---|")
    for one in (clip, long):
        seconds, peak = made(one, options)
        print(f"| {one.frames} | {seconds / one.frames:.3f} | {peak:.0f} |", flush=True)
    found = changes(long)
    print(_HEAD, row(f"embedded, stretches of {STRETCH}", found, np.arange(STRETCH - 1, len(found), STRETCH)), sep="\n")


_HEAD = (
    "\n| footage | change across borders | change inside | largest across | largest inside | across, outside 99 % of inside |"
    "\n|---|---|---|---|---|---|"
)


def windowed(folder: Path, frames: int) -> None:
    """Seams of windows of a tiny model, joined in every way."""
    from tests.diffusion.families.tiny.wan import save_wan

    model = save_wan(folder / "tiny", "WanVACEPipeline")
    clip = there_and_back(rendered(folder / "vace", "wan-vace"), folder / "windows", frames)
    usual = LargeModelOptions(window=WINDOW)
    ways = {
        "one frame blended": replace(usual, overlap=1, seams="blended"),
        "blended": replace(usual, overlap=5, seams="blended"),
        "matched": replace(usual, overlap=5),
        "continued": replace(usual, overlap=5, seams="continued"),
    }
    print(_HEAD)
    for name, large in ways.items():
        generate(clip.path, GenerateOptions(model=model, prompt="kitchen", steps=2, camera=clip.cameras[0], large=large))
        newest = clip.generated(clip.cameras[0])[-1]
        cut = json.loads((newest / "settings.json").read_text())["windows"]
        borders = {frame for first in cut["first_frames"][1:] for frame in range(first - 1, first + cut["overlap"])}
        print(row(f"windows of {WINDOW}, {name}", changes(clip), np.array(sorted(borders))), flush=True)
        shutil.rmtree(newest)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=500)
    parser.add_argument("--windowed-frames", type=int, default=65, help="of the tiny model's clip, 4 n + 1")
    parser.add_argument("--only", choices=["embedded", "windowed"])
    options = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        if options.only != "windowed":
            embedded(Path(folder), options.frames)
        if options.only != "embedded":
            windowed(Path(folder), options.windowed_frames)


if __name__ == "__main__":
    main()
