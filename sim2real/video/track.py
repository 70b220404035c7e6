"""Follows a video through its frames: from motion to the place of every pixel in the reference domain."""

from __future__ import annotations

from ..flow import Flow
from ..noise import Places, ReferenceMap

KEY_SHARE = 0.5
"""A frame of which so much is new begins the chart to which later frames look back."""


class Track:
    """The map of one video, frame by frame.

    - ``key``: the frame that later frames are compared with directly: the first one, or the first after a cut.
    """

    def __init__(self, size: tuple[int, int], *, device: str = "cpu") -> None:
        """Begin with frame 0 of a video of some size (height, width)."""
        self._map = ReferenceMap(size, device=device)
        self._device = device
        self._key_chart = 0
        self.key = 0

    @property
    def places(self) -> Places:
        """Of the present frame."""
        return self._map.places

    def advance(self, frame: int, back: Flow) -> Places:
        """Go on to a frame, by the motion from it to the one before."""
        places = self._map.advance(back.forward.to(self._device), back.visible.to(self._device))
        newest = len(places.scale) - 1
        if float((places.chart == newest).float().mean()) > KEY_SHARE:
            self._key_chart, self.key = newest, frame
        return places

    def recall(self, direct: Flow) -> Places:
        """Compare the present frame with the key frame: what was hidden and is back has its old place again."""
        return self._map.recall(direct.forward.to(self._device), direct.visible.to(self._device), self._key_chart)
