"""``sim2real calibrate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import progress
from .options import debug_option, intrinsics_option, size_option
from .scene_command import SceneCommand
from .types import Names, Numbers

if TYPE_CHECKING:
    from ..calibration import Calibration


@click.command("calibrate", cls=SceneCommand)
@click.argument("scene", type=click.Path(path_type=Path))
@click.option(
    "--masks", metavar="PATTERN", help='Masks of the robot, one per frame: "masks/*.png" in quotes, or a folder.  [required]'
)
@click.option("--images", metavar="PATTERN", help="The photographs that they were made from, to draw the result on.")
@click.option("--camera", metavar="NAME", help="The scene's camera to start from.  [default: the only one]")
@click.option("--start", type=click.Path(path_type=Path), metavar="FILE.json", help="A camera file to start from instead.")
@click.option(
    "--frames",
    type=Numbers(),
    metavar="F,...",
    help="The frames of the scene that the masks show, counted from 0.  [default: all]",
)
@click.option(
    "--mount",
    metavar="LINK",
    help="The link (or camera) that the camera rides on; its place there is found.  [default: it stands still in the world]",
)
@click.option(
    "--robot",
    type=Names(),
    metavar="NAME,...",
    help="Classes or instances that the masks show; * stands for anything.  [default: the classes that move]",
)
@click.option("--fit", type=click.Choice(["pose", "focal"]), default="pose", help="focal: find the focal length, too.")
@size_option
@intrinsics_option
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, metavar="DIR", help="The folder to make.")
@click.option("--overwrite", is_flag=True, help="Replace an older calibration.")
@debug_option
def command(scene: Path, output: Path, **options: Any) -> None:
    """Find where a real camera is, from masks of a known robot in known joint states.

    SCENE is what render takes: a robot and how it stood. Masks are pictures in which the robot is bright, such as SAM makes.
    The first guess may be 10 cm and 10 degrees off. DIR gets camera.json, which --camera-file of the other commands takes,
    camera.yaml, a block for scene files, calibration.json with figures, and overlay/ with the robot's outline over every
    picture: orange at the start, magenta at the end.

    Examples:
      sim2real calibrate robot.urdf --joints log.csv --start guess.json --masks "masks/*.png" --frames 0,5,9 -o out/calibration
      sim2real calibrate robot.urdf --joints log.csv --start guess.json --masks masks --mount wrist_link -o out/hand
      sim2real render robot.urdf --joints log.csv --camera-file out/calibration/camera.json --camera front -o out/twin
    """
    with progress.shown() as report:
        done = _calibrate(scene, output, options, report)
    for line in readable(done, output):
        click.echo(line)
    for warning in done.warnings:
        click.echo(click.style("warning: ", fg="yellow", bold=True) + warning, err=True)


def _calibrate(source: Path, output: Path, options: dict[str, Any], report: progress.Progress) -> Calibration:
    """Read, find the camera and write it."""
    from ..calibration import CalibrationOptions, calibrate, problem_of, start_camera, write_calibration
    from ..calibration.files import files_of, read_masks, read_pictures
    from ..clip import check_output
    from ..errors import BadValueError
    from .shared import load_scene, record_of

    check_output(output, overwrite=options["overwrite"])
    if options["masks"] is None:
        fix = (
            "segment the robot in the photographs, with SAM for instance; photographs alone do not tell it from what is around"
        )
        raise BadValueError("--masks", "left out", right='masks of the robot, such as "masks/*.png"', fix=fix)
    files = files_of(options["masks"], what="masks", option="--masks")
    scene = load_scene(source, {name: value for name, value in options.items() if name != "frames"})
    wanted = record_of(CalibrationOptions, options, fit_focal=options["fit"] == "focal")
    camera = start_camera(scene, wanted)
    pictures = None
    if options["images"] is not None:
        pictures = read_pictures(files_of(options["images"], what="photographs", option="--images"), camera.size)
        if len(pictures) != len(files):
            raise BadValueError("the number of photographs", len(pictures), right=f"{len(files)}, one per mask")
    problem, start = problem_of(scene, read_masks(files, camera.size), wanted)
    done = calibrate(problem, start, fit_focal=wanted.fit_focal, tell=report)
    write_calibration(done, output, pictures=pictures, attached_to=wanted.mount, overwrite=options["overwrite"])
    return done


def readable(done: Calibration, output: Path) -> list[str]:
    """What was found, as a person reads it."""
    from statistics import fmean

    metres, degrees = done.moved_by
    sure = done.uncertainty
    axes = "right, down, forward"
    place, turn = (" ".join(f"{v:.2g}" for v in values) for values in (sure.position_mm, sure.rotation_deg))
    robot = {done.problem.scene.instances[part.instance].class_name for part in _robot(done)}
    rows = [
        ("robot", ", ".join(sorted(robot))),
        ("moved", f"{1000 * metres:.1f} mm and {degrees:.2f} degrees from the first guess"),
        ("IoU", f"{fmean(done.before):.3f} before, {fmean(done.after):.3f} after, worst mask {min(done.after):.3f}"),
        ("position", f"± {place} mm ({axes})"),
        ("rotation", f"± {turn} degrees (about {axes})"),
    ]
    if sure.zoom is not None:
        k = done.camera.intrinsics[0]
        rows.append(("focal", f"{k[0, 0]:.1f} px, ± {100 * sure.zoom:.2g} %"))
    rows += [("camera", str(output / "camera.json")), ("overlays", str(output / "overlay"))]
    return [f"{name:<8}  {value}" for name, value in rows]


def _robot(done: Calibration) -> list[Any]:
    return [part for part, mine in zip(done.problem.scene.parts, done.problem.robot, strict=True) if mine]
