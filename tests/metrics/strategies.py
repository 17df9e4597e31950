"""Scores as Hypothesis draws them: few distinct values, so that ties are the rule."""

from __future__ import annotations

from hypothesis import strategies as st

score = st.one_of(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), st.floats(-2, 2, allow_subnormal=False))
scores = st.lists(score, min_size=1, max_size=12)
species = st.dictionaries(st.sampled_from(["mask", "print", "replay"]), scores, min_size=1)
rate = st.sampled_from([0.0, 0.01, 0.05, 0.1, 0.2, 0.25, 1 / 3, 0.5, 1.0])
