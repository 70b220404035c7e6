"""What ``run`` and ``generate`` share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import BadValueError

if TYPE_CHECKING:
    from ..clip import Clip
    from ..scene import Scene
    from .progress import Progress


def check_inputs_of_footage(options: dict[str, Any]) -> None:
    """Refuse, before anything is rendered, options that leave nothing for a model to work on.

    Raises:
        BadValueError: ``--only`` leaves out what the model needs, the noise is laid out for none, or the model cannot do what
            is asked of it.
        UnknownNameError: a model, look or material that does not exist.
    """
    from ..diffusion import check_options
    from ..diffusion.families import family_of

    names = ("model", "use", "look", "camera_effects", "prompt")
    check_options(keep=options["keep"] or (), **{name: options[name] for name in names})
    only: frozenset[str] | None = options["only"]
    lacking = [kind for kind in family_of(options["model"]).needs if only is not None and kind not in only]
    if only is not None and lacking:
        received = ",".join(sorted(only))
        raise BadValueError(
            "--only", received, right=f"with {', '.join(lacking)}, which footage is made from", fix="or use: sim2real render"
        )
    for name in ("factor", "channels"):
        if options[name] is not None:
            raise BadValueError(
                f"--{name}", options[name], right="left out: the model of --for decides", fix="or use: sim2real render"
            )


def check_scene_of_footage(scene: Scene, options: dict[str, Any]) -> None:
    """Refuse, before anything is rendered, a scene that the model cannot take, or without what ``--look`` and ``--keep`` name.

    Raises:
        UnknownNameError: no such class or instance; the message lists them.
        BadValueError: a number of frames, or a size, that the model does not take.
    """
    from ..diffusion.families import family_of
    from ..diffusion.families.embedded.looks import parse_look
    from ..diffusion.families.embedded.surfaces import check_called

    chosen = [scene.camera(name) for name in options["cameras"]] if options["cameras"] else scene.cameras
    for size in [options["size"]] if options["size"] else dict.fromkeys(camera.size for camera in chosen):
        family_of(options["model"]).check_clip(scene.frames, size)
    check_called([*parse_look(options["look"]).materials, *(options["keep"] or ())], scene.instances)


def generate_footage(clip: Clip, options: dict[str, Any], progress: Progress) -> Clip:
    """Generate footage for every camera of a clip, then draw the contact sheet and the report anew."""
    from ..clip import readable_write_errors, write_report, write_sheet
    from ..diffusion import generate

    model = None if options["model"] == "embedded" else options["model"]
    passed = {name: options[name] for name in ("use", "look", "camera_effects", "prompt", "steps", "seed", "device")}
    generate(clip.path, model=model, keep=options["keep"] or (), progress=progress, **passed)
    with readable_write_errors(clip.path):
        progress("contact sheet and report", 0, 1)
        write_sheet(clip)
        write_report(clip)
        progress("contact sheet and report", 1, 1)
    return clip
