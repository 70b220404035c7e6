"""Begin from a video: our noise on top of its latents, at the timestep that the strength says (SDEdit, arXiv 2108.01073)."""

from __future__ import annotations

from typing import Any

from .given import PipelineInputs


def noised(pipeline: Any, clean: Any, noise: Any, given: PipelineInputs) -> Any:
    """Clean latents with noise added at the first timestep that the pipeline will run, as its sampler adds it.

    Args:
        pipeline: its sampler, and ``get_timesteps``.
        clean: latents of the video, scaled as the denoiser knows them.
        noise: unit variance, the same shape.
        given: steps and strength.
    """
    steps, strength, device = given.asked["steps"], given.asked["strength"], pipeline._execution_device
    pipeline.scheduler.set_timesteps(steps, device=device)
    timesteps, _ = pipeline.get_timesteps(steps, pipeline.scheduler.timesteps, strength, device)
    noise, scheduler = noise.to(device), pipeline.scheduler
    clean = clean.to(noise.dtype)
    if hasattr(scheduler, "add_noise"):
        return scheduler.add_noise(clean, noise, timesteps[:1])
    return scheduler.scale_noise(clean, timesteps[:1], noise)  # samplers of flow matching
