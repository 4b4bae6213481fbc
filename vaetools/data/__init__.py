"""The door: what comes in becomes rows. Imports nothing else of the package.

What its parts are called is known here without loading numpy.
"""

UINT8, UINT16, INT16 = "uint8", "uint16", "int16"  # types of pixels
DEEP = (UINT16, INT16)
WHITE = 2**16 - 1  # of UINT16
ASPECTS = ("pad", "crop", "stretch")  # what becomes of an image of other proportions
