"""Facts about the clouds as constants: sizes, limits, regions.

Each names its source and the day it was read.
"""
