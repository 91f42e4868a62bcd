"""Figures for print: the same bytes each time, from tables that lie on disk.

``python -m trisynth.figures`` draws those of one data set, ``python -m trisynth.figures.gains`` that of a sweep, and
``python -m trisynth.figures.index`` shows them all on one page. ``overview`` is the light picture that every job
leaves beside its result.
"""
