"""Photographs that are drawn, with odd ones among them: threaded parts, turned anyhow, and stained cells."""

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.special import expit

DEFECTS = {"parts": ("scratch", "dent", "bent"), "cells": ("stain", "round", "large", "grains")}
SIDES = {"parts": 256, "cells": 96}
_PROFILE = (-190.1, -190, -145, -120, 130, 185, 185.1), (0, 44, 44, 21, 20, 2, 0)  # along a part, its radius
_LIGHTS = (-0.6, -0.5, 0.7), (-0.3, -0.8, 0.8)  # down, right and towards the camera


def part(rng: np.random.Generator, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Return a photograph of a threaded part, a field of heights that is turned anyhow, and its defect."""
    side, turn = SIDES["parts"], rng.uniform(0, 2 * np.pi)
    down, right = 2 * np.mgrid[:side, :side] - side - rng.uniform(-25, 25, (2, 1, 1))  # half pixels
    along, beside = right * np.cos(turn) + down * np.sin(turn), down * np.cos(turn) - right * np.sin(turn)
    near, mask = np.zeros((side, side)), np.zeros((side, side), bool)
    if kind == "bent":
        mask = (along > 135) & (along < 190) & (np.abs(beside) < 24)
        beside = beside - rng.choice([-1, 1]) * rng.uniform(8, 20) * np.clip((along - 120) / 65, 0, 1) ** 2
    radius = np.interp(along, *_PROFILE)
    angle = np.arcsin(np.clip(beside / np.maximum(radius, 1), -1, 1)) / (2 * np.pi)
    phase = (along / 17 + angle + rng.uniform()) % 1
    crest = np.minimum(phase / 0.62, (1 - phase) / 0.38)
    if kind == "dent":
        middle = rng.uniform(-30, 110), rng.uniform(-20, 20)
        dent = np.exp(-(((along - middle[0]) / 7) ** 2) - ((beside - middle[1]) / 6) ** 2)
        crest, mask = crest * (1 - dent), dent > 0.3
    depth = 7 * np.clip((along + 60) / 15, 0, 1) * np.clip((180 - along) / 40, 0, 1)
    radius = np.where(radius > 0, radius + depth * (crest - 0.3), 0)
    if kind == "scratch":
        slope, a, b = rng.uniform(0, np.pi), along - rng.uniform(-170, -70), beside - rng.uniform(-13, 13)
        a, b = a * np.cos(slope) + b * np.sin(slope), b * np.cos(slope) - a * np.sin(slope)
        near = np.exp(-((b / 1.8) ** 2)) * expit((rng.uniform(9, 18) - np.abs(a)) / 1.5)
        mask = near > 0.2
    height = np.sqrt(np.maximum(radius**2 - beside**2, 0)) - 2 * near
    steep = np.gradient(gaussian_filter(height, 0.5), 2)
    norm = np.sqrt(1 + steep[0] ** 2 + steep[1] ** 2)
    broad, gloss = (np.maximum((c - steep[1] * a - steep[0] * b) / norm, 0) for a, b, c in _LIGHTS)
    metal = 30 + (60 * broad + 50 * gloss**12) * (1 + near * rng.choice([-0.55, 0.8]))
    metal += 3 * gaussian_filter(rng.normal(size=mask.shape), 0.6)
    outline = gaussian_filter((np.abs(beside) < radius).astype(float), 0.5)
    ground = 215 + rng.uniform(-18, 18) * right / side / 2 - 18 * gaussian_filter(outline, 7)
    levels = (metal * outline + ground * (1 - outline)) * rng.uniform(0.94, 1.06)
    return levels + rng.normal(0, 1, mask.shape), mask


def cell(rng: np.random.Generator, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Return a photograph of a cell with a nucleus of lobes between red ones; others are odd all over."""
    side = SIDES["cells"]
    down, right = np.mgrid[:side, :side]
    image = np.array([225, 205, 215]) + rng.normal(0, 6, 3)
    image = image + 40 * gaussian_filter(rng.normal(size=(side, side)), 6)[:, :, None]

    def put(middle: np.ndarray, radius: float, color: np.ndarray, opacity: float = 1.0) -> None:
        away = np.hypot(down - middle[0], right - middle[1])
        around = np.arctan2(down - middle[0], right - middle[1])
        waves = sum(rng.normal(0, 0.06 / k) * np.cos(k * around + rng.uniform(0, 6.3)) for k in (2, 3, 4))
        share = opacity * expit((radius * (1 + waves) - away) / 1.2)[:, :, None]
        image[:] += share * (color - image)

    def toward(angle: float, distance: float) -> np.ndarray:
        return middle + distance * np.array([np.sin(angle), np.cos(angle)])

    middle = np.full(2, side / 2) + rng.normal(0, 3, 2)
    for _ in range(rng.integers(2, 6)):
        red = np.array([222, 150, 150]) + rng.normal(0, 6, 3)
        put(toward(rng.uniform(0, 6.3), rng.uniform(34, 60)), rng.uniform(11, 14), red, 0.85)
    radius, tint = rng.uniform(21, 26), np.array([28, -12, -22]) * (kind == "stain")
    put(middle, radius, np.array([190, 175, 215]) + tint + rng.normal(0, 6, 3))
    lobes, start = 1 if kind in ("round", "large") else rng.integers(3, 5), rng.uniform(0, 6.3)
    dark, size = np.array([95, 60, 140]) + rng.normal(0, 7, 3), {1: 12, 3: 8, 4: 7}[int(lobes)]
    for i in range(lobes):
        place = toward(start + i * rng.uniform(1.1, 1.6), 0 if lobes == 1 else rng.uniform(7, 10))
        put(place, (19 if kind == "large" else size) * rng.uniform(0.9, 1.1), dark)
    for _ in range(40 * (kind == "grains")):
        put(toward(rng.uniform(0, 6.3), radius * 0.9 * np.sqrt(rng.uniform())), 1.6, np.array([170, 50, 60]))
    levels = gaussian_filter(image, (0.9, 0.9, 0)) * rng.normal(1, 0.03) + rng.normal(0, 3, image.shape)
    return levels.transpose(2, 0, 1), np.zeros((side, side), bool)


def drawn_set(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, tuple[int, int, int]]:
    """Return rows of 240 good images, of test images with their kinds and masks, and the shape."""
    draw, channels = {"parts": (part, 1), "cells": (cell, 3)}[name]
    rng, kinds = (
        np.random.default_rng(0),
        np.repeat(["good", *DEFECTS[name]], [60, *[30] * len(DEFECTS[name])]),
    )
    found = [draw(rng, kind) for kind in [*["good"] * 240, *kinds]]
    rows = np.stack([np.clip(levels, 1, 255).astype(np.uint8).ravel() for levels, _ in found])
    masks = np.stack([mask for _, mask in found[240:]])
    return rows[:240], rows[240:], kinds, masks, (channels, SIDES[name], SIDES[name])
