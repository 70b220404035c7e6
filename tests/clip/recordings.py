"""Recordings read back with Rerun's own reader."""

from __future__ import annotations

import io
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image


class ReadRecording:
    """What a recording holds: ``still[entity][component]``, and ``moving[entity][component][frame]``; times in seconds."""

    def __init__(self, path: Path) -> None:
        from rerun.chunk import RrdReader

        reader = RrdReader(path)
        self.still: dict[str, dict[str, Any]] = defaultdict(dict)
        self.moving: dict[str, dict[str, dict[int, Any]]] = defaultdict(lambda: defaultdict(dict))
        self.seconds: dict[int, float] = {}
        self.timelines: set[str] = set()
        for chunk in reader.stream():
            batch = chunk.to_record_batch()
            names = [name for name in batch.schema.names if ":" in name]
            self.timelines |= set(chunk.timeline_names)
            frames = None if chunk.is_static else batch.column("frame").to_pylist()
            if frames is not None:
                seconds = np.asarray(batch.column("time").to_numpy(zero_copy_only=False)).astype("timedelta64[ns]").astype(int)
                self.seconds |= dict(zip(frames, (seconds / 1e9).tolist(), strict=True))
            for name in names:
                for row, value in enumerate(batch.column(name).to_pylist()):
                    if value is None:
                        continue
                    if frames is None:
                        self.still[chunk.entity_path][name] = value
                    else:
                        self.moving[chunk.entity_path][name][frames[row]] = value
        self.blueprint: dict[str, list[Any]] = defaultdict(list)
        for chunk in reader.stream(store=reader.blueprints()[0]):
            batch = chunk.to_record_batch()
            for name in batch.schema.names:
                if ":" in name:
                    self.blueprint[name] += batch.column(name).to_pylist()

    @property
    def entities(self) -> set[str]:
        """Paths of everything that was logged."""
        return {path for path in {*self.still, *self.moving} if not path.startswith("/__")}

    def pose(self, entity: str, frame: int) -> np.ndarray:
        """Where an entity is in its parent, 4x4."""

        def of(name: str) -> Any:
            return self.still[entity][name] if name in self.still[entity] else self.moving[entity][name][frame]

        matrix = np.eye(4)
        matrix[:3, :3] = np.array(of("Transform3D:mat3x3")).reshape(3, 3).T  # column after column
        matrix[:3, 3] = np.array(of("Transform3D:translation")).ravel()
        return matrix

    def picture(self, entity: str, frame: int) -> np.ndarray:
        """An encoded picture."""
        return np.array(Image.open(io.BytesIO(bytes(self.moving[entity]["EncodedImage:blob"][frame][0]))))

    def pixels(self, entity: str, archetype: str, frame: int) -> np.ndarray:
        """The values of depth or labels."""
        form = self.moving[entity][f"{archetype}:format"][frame][0]
        kind = {6: np.uint8, 8: np.uint16}[form["channel_datatype"]]
        return np.frombuffer(bytes(self.moving[entity][f"{archetype}:buffer"][frame][0]), kind).reshape(
            form["height"], form["width"]
        )
