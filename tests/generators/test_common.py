"""What every generator of ``conf/generator`` owes its users; a new yaml is tested as soon as it is there."""

import inspect
import io
import json
import random
import subprocess
import sys
import zipfile
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import HARD, mixed, owes
from omegaconf import OmegaConf
from sklearn.base import clone

from trisynth.config import instantiate, locate
from trisynth.errors import InputError
