"""What each family of video models wants: its noise, who scales it, its control video, the samplers that keep the warp."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...errors import BadValueError, UnknownNameError
from ...noise.layout import NoiseLayout
from ...text_files import read_json

DETERMINISTIC_FLOW = ("UniPCMultistepScheduler", "FlowMatchEulerDiscreteScheduler", "DPMSolverMultistepScheduler")
DETERMINISTIC_DDPM = ("DDIMScheduler", "CogVideoXDDIMScheduler", "DPMSolverMultistepScheduler", "EulerDiscreteScheduler")


@dataclass(frozen=True)
class ModelFamily:
    """One family of video diffusion models, as data.

    - ``pipeline``: the class of diffusers that runs it.
    - ``layout``: pixels and frames per latent, and channels, in which the noise is rendered.
    - ``latent_axes``: order of the axes of ``latents=``, a letter each (B, C, T, H, W).
    - ``cast``: dtype that the pipeline casts latents to; "none" when the caller has to.
    - ``scaled_by``: who multiplies unit-variance noise by the first sigma: "nobody" or "pipeline".
    - ``control``: what the control video shows, and how it enters.
    - ``needs``: the kinds of pictures of a clip that footage is made from.
    - ``schedulers``: samplers that draw no noise of their own, so that the warp survives.
    - ``hub_ids``: weights that belong to the family.
    - ``size_multiple``: what picture sizes must be a multiple of, in pixels.
    """

    name: str
    pipeline: str
    layout: NoiseLayout
    latent_axes: str
    cast: str
    scaled_by: str
    control: str
    needs: tuple[str, ...]
    schedulers: tuple[str, ...]
    hub_ids: tuple[str, ...] = ()
    size_multiple: int = 1

    def check_clip(self, frames: int, size: tuple[int, int]) -> None:
        """Refuse clips that the family cannot take, before anything is rendered.

        Args:
            frames: of the clip.
            size: (height, width) of its pictures.

        Raises:
            BadValueError: another number of frames, or another size.
        """
        if any(length % self.size_multiple for length in size):
            right = f"multiples of {self.size_multiple} for {self.name}"
            raise BadValueError("the size", f"{size[0]}x{size[1]}", right=right, fix="render with another --size")
        time = self.layout.temporal_factor
        if time > 1 and (frames % time != 1 or frames == 1):
            right = f"{time} n + 1 for {self.name}"
            raise BadValueError("the number of frames", frames, right=right, fix=other_count(frames, time))


FAMILIES: dict[str, ModelFamily] = {
    family.name: family
    for family in (
        ModelFamily(
            name="embedded",
            pipeline="WanVACEPipeline",
            layout=NoiseLayout(factor=1, channels=3, temporal_factor=1),
            latent_axes="BCTHW",
            cast="float32",
            scaled_by="nobody",
            control="all conditions at pixel resolution, as attention_kwargs",
            needs=("noise", "rgb", "albedo", "material", "light", "reflection", "normals", "depth", "edges", "instances"),
            schedulers=("UniPCMultistepScheduler",),
        ),
        ModelFamily(
            name="wan-vace",
            pipeline="WanVACEPipeline",
            layout=NoiseLayout(factor=8, channels=16, temporal_factor=4),
            latent_axes="BCTHW",
            cast="float32",
            scaled_by="nobody",
            control="gray inverse depth (near is bright) or edges (white on black), VAE-encoded, VACE branch",
            needs=("noise", "depth", "edges"),
            schedulers=DETERMINISTIC_FLOW,
            hub_ids=("Wan-AI/Wan2.1-VACE-1.3B-diffusers", "Wan-AI/Wan2.1-VACE-14B-diffusers"),
            size_multiple=16,
        ),
        ModelFamily(
            name="wan",
            pipeline="WanPipeline",
            layout=NoiseLayout(factor=8, channels=16, temporal_factor=4),
            latent_axes="BCTHW",
            cast="float32",
            scaled_by="nobody",
            control="none",
            needs=("noise",),
            schedulers=DETERMINISTIC_FLOW,
            hub_ids=("Wan-AI/Wan2.1-T2V-1.3B-Diffusers", "Wan-AI/Wan2.1-T2V-14B-Diffusers"),
        ),
        ModelFamily(
            name="cogvideox",
            pipeline="CogVideoXPipeline",
            layout=NoiseLayout(factor=8, channels=16, temporal_factor=4),
            latent_axes="BTCHW",
            cast="none",
            scaled_by="pipeline",
            control="none",
            needs=("noise",),
            schedulers=DETERMINISTIC_DDPM,
            hub_ids=("zai-org/CogVideoX-2b", "zai-org/CogVideoX-5b"),
        ),
        ModelFamily(
            name="cogvideox-fun-control",
            pipeline="CogVideoXFunControlPipeline",
            layout=NoiseLayout(factor=8, channels=16, temporal_factor=4),
            latent_axes="BTCHW",
            cast="none",
            scaled_by="pipeline",
            control="any control video, VAE-encoded, joined to the channels",
            needs=("noise", "depth", "edges"),
            schedulers=DETERMINISTIC_DDPM,
            hub_ids=("alibaba-pai/CogVideoX-Fun-V1.1-2b-Control", "alibaba-pai/CogVideoX-Fun-V1.1-5b-Control"),
        ),
        ModelFamily(
            name="animatediff-controlnet",
            pipeline="AnimateDiffControlNetPipeline",
            layout=NoiseLayout(factor=8, channels=4, temporal_factor=1),
            latent_axes="BCTHW",
            cast="none",
            scaled_by="pipeline",
            control="one conditioning frame per frame and ControlNet (depth, edges)",
            needs=("noise", "depth", "edges"),
            schedulers=DETERMINISTIC_DDPM,
        ),
    )
}


def other_count(frames: int, time: int) -> str:
    """Which counts are near: the clip surely has enough frames for the lower one; one frame is no video."""
    lower = (frames - 1) // time * time + 1
    longer = f"--frames {lower + time}, if the scene or video goes on for so long"
    return (
        f"make the clip again with {longer}" if lower == 1 else f"make the clip again with --frames {lower}, or with {longer}"
    )


def family_of(model: str | Path | None) -> ModelFamily:
    """The family of a model: a family's name, a hub id, or a folder with a diffusers pipeline or an embedded-type model.

    Args:
        model: None is the model that ships with the package.

    Raises:
        UnknownNameError: none of these; the message lists the names and the hub ids.
    """
    name = "embedded" if model is None else str(model)
    if name in FAMILIES:
        return FAMILIES[name]
    folder = Path(name)
    if (folder / "sim2real.json").is_file():
        return FAMILIES["embedded"]
    if (folder / "model_index.json").is_file():
        index = read_json(folder / "model_index.json", what="the model's index", fix="fetch or copy the model again")
        pipeline = str(index.get("_class_name"))
        for family in FAMILIES.values():
            if family.pipeline == pipeline and family.name != "embedded":
                return family
        raise UnknownNameError(pipeline, sorted({f.pipeline for f in FAMILIES.values()}), what="pipeline class", where=folder)
    for family in FAMILIES.values():
        if name.lower() in (hub_id.lower() for hub_id in family.hub_ids):
            return family
    valid = [*FAMILIES, *(hub_id for family in FAMILIES.values() for hub_id in family.hub_ids)]
    raise UnknownNameError(name, valid, what="model")


def layout_for(model: str | Path | None) -> NoiseLayout:
    """How a model wants its noise laid out; see :func:`family_of` for what ``model`` may be."""
    return family_of(model).layout
