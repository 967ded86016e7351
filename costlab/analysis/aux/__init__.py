"""Auxiliary classifiers: what they cost in training and at inference, and where a gradient-flow
probe would put them."""

from .heads import WITH_HEADS, AuxCost, AuxCosts, Step, aux_costs
from .images import Images, digits
from .probe import THRESHOLD, Probe, probe, probe_zoo
from .record import read_probe, write_probe
from .settings import SETTINGS, Setting
from .training import Gradients, Layer, Protocol

__all__ = [
    "SETTINGS",
    "THRESHOLD",
    "WITH_HEADS",
    "AuxCost",
    "AuxCosts",
    "Gradients",
    "Images",
    "Layer",
    "Probe",
    "Protocol",
    "Setting",
    "Step",
    "aux_costs",
    "digits",
    "probe",
    "probe_zoo",
    "read_probe",
    "write_probe",
]
