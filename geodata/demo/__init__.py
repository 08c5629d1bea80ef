"""The synthetic demo county (nothing in it is real): ordinary input files made from a seed."""

from geodata.demo.files import write_demo_files

__all__ = ["write_demo_files"]
