"""TriSynth: does synthetic data make my model better, which generator, at which weights, at what risk?"""

__version__ = "0.1.0"
