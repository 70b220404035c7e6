"""What every family that runs through a pipeline of diffusers shares: facts, guard rails, loading, memory, one call."""

from .family import PipelineFamily as PipelineFamily
from .given import PipelineInputs as PipelineInputs
