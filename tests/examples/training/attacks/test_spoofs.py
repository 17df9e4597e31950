from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from examples.training.attacks.spoofs import SPECIES, contact_rows, mirror, present
from examples.training.attacks.surfaces import SIDE, screen_light

Picture = npt.NDArray[np.uint8]
Box = tuple[float, float, float, float]


@pytest.mark.parametrize("species", SPECIES)
def test_the_face_stays_in_the_picture(portrait: Picture, face_box: Box, species: str) -> None:
    for seed in range(12):
        made = present(portrait, face_box, np.random.default_rng(seed), species=species)
        x0, y0, x1, y1 = made.box
        assert made.image.shape == (SIDE, SIDE, 3)
        assert made.species == species
        assert (x0 + x1) / 2 == pytest.approx(SIDE / 2, abs=SIDE / 8)
        assert 0.3 * SIDE < max(x1 - x0, y1 - y0) < 0.9 * SIDE


@pytest.mark.parametrize("species", SPECIES)
def test_the_same_state_makes_the_same_attack(portrait: Picture, face_box: Box, species: str) -> None:
    first, second = (present(portrait, face_box, np.random.default_rng(9), species=species) for _ in range(2))
    assert np.array_equal(first.image, second.image)


def test_nothing_black_enters_around_a_mirrored_picture(face_box: Box) -> None:
    white = np.full((220, 180, 3), 235, np.uint8)
    for seed in range(12):
        made = mirror(white, (0, 10, 90, 110), np.random.default_rng(seed))
        assert made.image.min() > 120
        assert made.species == "bona_fide"


def test_a_mirror_is_nearer_to_its_picture_than_an_attack(portrait: Picture, face_box: Box) -> None:
    """The mirror goes through the camera alone, so its colours stay: an attack's do not."""
    tone = portrait[70:190, 178:270].mean(axis=(0, 1))

    def change(image: Picture) -> float:
        return float(np.abs(image[96:160, 96:160].mean(axis=(0, 1)) - tone).mean())

    prints, screens, mirrors = contact_rows(portrait, face_box, range(24))
    assert np.median([change(made.image) for made in mirrors]) < np.median([change(made.image) for made in screens])
    assert np.median([made.image.std() for made in prints]) < np.median([made.image.std() for made in mirrors])


def test_a_fine_grid_aliases_when_the_camera_turns() -> None:
    """Moire comes from sampling: turning the camera by a little changes the pattern, not just its place."""
    grey = np.full((SIDE, SIDE, 3), 128, np.float32)
    rows, columns = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    straight = screen_light(grey, columns, rows, np.random.default_rng(2), None)
    turned = screen_light(grey, columns + 0.03 * rows, rows - 0.03 * columns, np.random.default_rng(2), None)
    assert straight.std() > 0.5
    assert np.corrcoef(straight.ravel(), turned.ravel())[0, 1] < 0.9


def test_an_unknown_species_is_named(portrait: Picture, face_box: Box) -> None:
    with pytest.raises(ValueError, match="'mask'.*print, screen"):
        present(portrait, face_box, np.random.default_rng(0), species="mask")
