"""USD's materials as ours: UsdPreviewSurface, and what MDL and MaterialX say in inputs of the usual names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from ....optional import require
from ...colors import linear_from_srgb, srgb_from_linear
from ...records import Material
from .dialects import OTHERS, PREVIEW, Dialect
from .pictures import picture_of
from .types import Attribute, Prim, ShadeMaterial, Shader

_BRIGHTEST = 1e6


@dataclass(frozen=True, eq=False)
class Look:
    """A material, and how its texture lies.

    - ``uv_name``: the primvar that its texture asks for; ``uv_map``: what becomes of (u, v, 1).
    - ``alpha``: how solid each texel is; what is below ``cutoff`` is cut out.
    """

    material: Material
    uv_name: str | None = None
    uv_map: Float[np.ndarray, "2 3"] | None = None
    alpha: Float[np.ndarray, "height width"] | None = None
    cutoff: float = 0.5
    repeats: bool = True


@dataclass(frozen=True, eq=False)
class _Texture:
    """A texture node: its picture (linear values follow from ``raw``), its primvar and map, and its output that is used."""

    pixels: UInt8[np.ndarray, "height width channels"]
    raw: bool
    scale: Float[np.ndarray, "4"]
    bias: Float[np.ndarray, "4"]
    uv_name: str | None
    uv_map: Float[np.ndarray, "2 3"] | None
    output: str
    repeats: bool

    def linear(self) -> Float[np.ndarray, "height width channels"]:
        values = self.pixels / 255
        if not self.raw:
            values[..., :3] = linear_from_srgb(values[..., :3])
        count = values.shape[2]
        return values * self.scale[:count] + self.bias[:count]

    def channel(self) -> Float[np.ndarray, "height width"]:
        """The output of one number."""
        values = self.linear()
        place = {"r": 0, "g": 1, "b": 2, "a": 3}.get(self.output, 0)
        return values[..., place] if place < values.shape[2] else np.ones(values.shape[:2])


@dataclass
class Materials:
    """The materials of a stage, each read once.

    - ``notes`` get a sentence for everything that could not be kept, ``files`` the pictures that were read.
    """

    time: Any
    notes: list[str]
    files: list[Path]
    _looks: dict[str, Look] = field(default_factory=dict)
    _pictures: dict[str, np.ndarray | None] = field(default_factory=dict)

    def path_for(self, prim: Prim) -> str:
        """Where the material is that is bound to a prim; empty where none is."""
        material = _bound(prim)
        return str(material.GetPath()) if material else ""

    def bound_to(self, prim: Prim) -> Look | None:
        """The look that is bound to a prim; ``None`` where none is, or its shader is of a kind that is not read."""
        material = _bound(prim)
        if not material:
            return None
        path = str(material.GetPath())
        if path not in self._looks:
            self._looks[path] = self._look(material)
        look = self._looks[path]
        return None if look is _UNREAD else look

    def _look(self, material: ShadeMaterial) -> Look:
        shade = require("pxr.UsdShade", "usd")
        for context in ("", "mdl", "mtlx"):
            source, name, _ = material.ComputeSurfaceSource(context) if context else material.ComputeSurfaceSource()
            if not source:
                continue
            if str(source.GetIdAttr().Get()) in ("UsdPreviewSurface", "ND_UsdPreviewSurface_surfaceshader"):
                return self._read(source, PREVIEW)
            inputs = {str(i.GetBaseName()) for i in source.GetInputs()}
            known = {name for f in ("color", "texture", "tint", "metallic", "roughness") for name in getattr(OTHERS, f)}
            if inputs & known or str(shade.Shader(source).GetSourceAsset("mdl") or "").find("Omni") >= 0:
                return self._read(source, OTHERS)
        self.notes.append(f"{material.GetPath()}: its shader is not read; displayColor or gray stands for it")
        return _UNREAD

    def _read(self, shader: Shader, names: Dialect) -> Look:
        what = str(shader.GetPath().GetParentPath())
        texture = self._texture(shader, names.color, what) or self._texture(shader, names.texture, what)
        color, pixels = np.array(self._numbers(shader, names.color, 3, names.base)), None
        if texture is not None:
            pixels, color = _colored(texture)
            color = color * self._numbers(shader, names.tint, 3, (1.0, 1.0, 1.0))
        opacity, alpha, cutoff = self._opacity(shader, names, what, texture)
        connected = {str(i.GetBaseName()) for i in shader.GetInputs() if i.HasConnectedSource()}
        if unused := connected & {"normal", "displacement", "occlusion"}:
            self.notes.append(f"{what}: its {', '.join(sorted(unused))} is not used")
        if names is PREVIEW and self._numbers(shader, ("useSpecularWorkflow",), 1, (0.0,))[0]:
            self.notes.append(f"{what}: its specular color is not used")
        material = Material(
            base_color=(*three(np.clip(color, 0, _BRIGHTEST)), opacity),
            texture=pixels,
            metallic=float(np.clip(self._mean(shader, names.metallic, 1, (0.0,), what)[0], 0, 1)),
            roughness=float(np.clip(self._mean(shader, names.roughness, 1, (names.usual_roughness,), what)[0], 0.02, 1)),
            emission=self._emission(shader, names, what),
        )
        if texture is None:
            return Look(material, alpha=None)
        return Look(material, texture.uv_name, texture.uv_map, alpha, cutoff, texture.repeats)

    def _opacity(
        self, shader: Shader, names: Dialect, what: str, texture: _Texture | None
    ) -> tuple[float, np.ndarray | None, float]:
        """How solid all of it is, how solid each texel is, and below what nothing is left."""
        if names is OTHERS and not self._numbers(shader, ("enable_opacity",), 1, (1.0 if _is_glass(shader) else 0.0,))[0]:
            return 1.0, None, 0.5
        threshold = float(self._numbers(shader, ("opacityThreshold", "opacity_threshold"), 1, (0.0,))[0])
        found = self._texture(shader, names.opacity, what)
        if found is None:
            usual = 0.2 if _is_glass(shader) else 1.0
            return float(np.clip(self._numbers(shader, names.opacity, 1, (usual,))[0], 0, 1)), None, 0.5
        alpha = np.clip(found.channel(), 0, 1)
        cutoff = threshold if threshold > 0 else 0.5
        if texture is None or not (alpha >= cutoff).any() or alpha.shape != texture.pixels.shape[:2]:
            self.notes.append(f"{what}: the picture of its opacity was replaced by its mean")
            return float(alpha.mean()), None, 0.5
        rest = 1.0 if threshold > 0 else float(alpha[alpha >= cutoff].mean())
        return rest, alpha, cutoff

    def _emission(self, shader: Shader, names: Dialect, what: str) -> tuple[float, float, float]:
        if names is OTHERS:
            if not self._numbers(shader, ("enable_emission",), 1, (0.0,))[0]:
                return 0.0, 0.0, 0.0
            # the intensity is in units of a renderer with an exposure of its own: the color is what can be told
        glow = self._mean(shader, names.emission, 3, (0.0, 0.0, 0.0), what)
        return three(np.clip(glow, 0, _BRIGHTEST))

    def _mean(self, shader: Shader, names: tuple[str, ...], width: int, usual: tuple[float, ...], what: str) -> np.ndarray:
        """The numbers of an input; of a picture, its mean."""
        texture = self._texture(shader, names, what)
        if texture is None:
            return np.array(self._numbers(shader, names, width, usual))
        self.notes.append(f"{what}: the picture of its {names[0]} was replaced by its mean")
        if width == 1:
            return np.array([texture.channel().mean()])
        return texture.linear()[..., :3].mean(axis=(0, 1))

    def _numbers(self, shader: Shader, names: Iterable[str], width: int, usual: tuple[float, ...]) -> tuple[float, ...]:
        for name in names:
            for attribute in _producers(shader, name):
                value = attribute.Get(self.time)
                if value is None:
                    continue
                try:
                    found = np.atleast_1d(np.array(value, np.float64)).ravel()[:width]
                except (TypeError, ValueError):  # a picture, or a word
                    continue
                if len(found) == width and np.isfinite(found).all():
                    return tuple(found.tolist())
        return usual

    def _texture(self, shader: Shader, names: Iterable[str], what: str) -> _Texture | None:
        shade = require("pxr.UsdShade", "usd")
        for name in names:
            for attribute in _producers(shader, name):
                node = shade.Shader(attribute.GetPrim())
                output = shade.Utils.GetBaseNameAndType(attribute.GetName())
                if output[1] == shade.AttributeType.Output and node:
                    made = self._from_node(node, str(output[0]), what)
                elif str(attribute.GetTypeName()) == "asset":
                    made = self._from_asset(shader, attribute, what)
                else:
                    made = None
                if made is not None:
                    return made
        return None

    def _pixels(self, attribute: Attribute, what: str) -> np.ndarray | None:
        asset = attribute.Get(self.time)
        key = "" if asset is None else str(asset.resolvedPath or asset.path)
        if key not in self._pictures:
            self._pictures[key] = picture_of(asset, what, self.notes, self.files)
        return self._pictures[key]

    def _from_node(self, node: Shader, output: str, what: str) -> _Texture | None:
        files = _producers(node, "file")
        if not files:
            if str(node.GetIdAttr().Get()).startswith("UsdPrimvarReader"):
                self.notes.append(f"{what}: what it reads from a primvar is not used")
            return None
        pixels = self._pixels(files[0], what)
        if pixels is None:
            return None
        space = next((str(v) for a in _producers(node, "sourceColorSpace") if (v := a.Get(self.time)) is not None), "auto")
        uv_name, uv_map = self._coordinates(node, np.eye(3)[:2], 0)
        wraps = [str(a.Get(self.time)) for name in ("wrapS", "wrapT") for a in _producers(node, name)]
        return _Texture(
            pixels=pixels,
            raw=space == "raw" or (space == "auto" and output not in ("rgb", "out", "rgba")),
            scale=np.array(self._numbers(node, ("scale",), 4, (1.0, 1.0, 1.0, 1.0))),
            bias=np.array(self._numbers(node, ("bias",), 4, (0.0, 0.0, 0.0, 0.0))),
            uv_name=uv_name,
            uv_map=None if (uv_map == np.eye(3)[:2]).all() else uv_map,
            output=output,
            repeats=not set(wraps) & {"clamp", "mirror", "black"},
        )

    def _coordinates(self, node: Shader, uv_map: np.ndarray, depth: int) -> tuple[str | None, np.ndarray]:
        """The primvar that a chain of nodes begins with, and the affine map that the chain makes of it."""
        shade = require("pxr.UsdShade", "usd")
        for name in ("st", "texcoord", "in"):
            for attribute in _producers(node, name):
                source = shade.Shader(attribute.GetPrim())
                if not source or source.GetPath() == node.GetPath() or depth > 16:
                    continue
                if "Transform2d" in str(source.GetIdAttr().Get()):
                    return self._coordinates(source, _joined(uv_map, self._transform(source)), depth + 1)
                words = [a.Get(self.time) for key in ("varname", "geomprop") for a in _producers(source, key)]
                return next((str(word) for word in words if word), None), uv_map
        return None, uv_map

    def _transform(self, node: Shader) -> np.ndarray:
        turn = np.deg2rad(self._numbers(node, ("rotation",), 1, (0.0,))[0])
        scale = np.array(self._numbers(node, ("scale",), 2, (1.0, 1.0)))
        shift = np.array(self._numbers(node, ("translation",), 2, (0.0, 0.0)))
        rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        return np.concatenate([rotation * scale, shift[:, None]], axis=1)

    def _from_asset(self, shader: Shader, attribute: Attribute, what: str) -> _Texture | None:
        """A texture of MDL: an input of the material itself."""
        pixels = self._pixels(attribute, what)
        if pixels is None:
            return None
        scale = np.array(self._numbers(shader, ("texture_scale",), 2, (1.0, 1.0)))
        shift = np.array(self._numbers(shader, ("texture_translate",), 2, (0.0, 0.0)))
        if self._numbers(shader, ("project_uvw",), 1, (0.0,))[0]:
            self.notes.append(f"{what}: its texture is projected from the world; here it lies as the mesh's UVs say")
        uv_map = np.concatenate([np.diag(scale), shift[:, None]], axis=1)
        raw = str(attribute.GetColorSpace()) in ("raw", "linear")
        identity = (uv_map == np.eye(3)[:2]).all()
        return _Texture(pixels, raw, np.ones(4), np.zeros(4), None, None if identity else uv_map, "rgb", True)


_UNREAD = Look(Material())


def _bound(prim: Prim) -> ShadeMaterial:
    shade = require("pxr.UsdShade", "usd")
    return shade.MaterialBindingAPI(prim).ComputeBoundMaterial(shade.Tokens.preview)[0]


def _producers(shader: Shader, name: str) -> list[Attribute]:
    """Where the value of an input comes from, through all connections."""
    shade = require("pxr.UsdShade", "usd")
    found = shader.GetInput(name)
    return list(shade.Utils.GetValueProducingAttributes(found)) if found else []


def _is_glass(shader: Shader) -> bool:
    return bool(shader.GetInput("glass_color")) or "Glass" in str(shader.GetSourceAssetSubIdentifier("mdl") or "")


def _colored(texture: _Texture) -> tuple[UInt8[np.ndarray, "height width 3"], Float[np.ndarray, "3"]]:
    """A texture as sRGB without alpha, and the color that multiplies it."""
    pixels = np.ascontiguousarray(texture.pixels[..., :3])
    plain = not texture.raw and not texture.bias.any() and texture.output not in ("r", "g", "b", "a")
    if plain:
        return pixels, texture.scale[:3]
    linear = texture.linear()
    linear = np.repeat(texture.channel()[..., None], 3, axis=2) if texture.output in ("r", "g", "b", "a") else linear[..., :3]
    return np.rint(srgb_from_linear(np.clip(linear, 0, 1)) * 255).astype(np.uint8), np.ones(3)


def _joined(outer: Float[np.ndarray, "2 3"], inner: Float[np.ndarray, "2 3"]) -> Float[np.ndarray, "2 3"]:
    return np.concatenate([outer[:, :2] @ inner[:, :2], outer[:, :2] @ inner[:, 2:] + outer[:, 2:]], axis=1)


def three(values: np.ndarray) -> tuple[float, float, float]:
    """Three numbers of an array."""
    red, green, blue = (float(v) for v in values)
    return red, green, blue
