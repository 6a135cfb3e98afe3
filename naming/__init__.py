"""What things are called by where they stand: labels, full codes and the numbers of a room; pure."""

from naming.full_code import CATEGORIES, FullCode, category_of
from naming.label import LAST_MACHINE, Label, LabelError, Place, PlaceClass, find_label, is_label
from naming.room_plan import GridPlace, PlanError, RoomFullError, RoomPlan, Wall

__all__ = [
    "CATEGORIES",
    "LAST_MACHINE",
    "FullCode",
    "GridPlace",
    "Label",
    "LabelError",
    "Place",
    "PlaceClass",
    "PlanError",
    "RoomFullError",
    "RoomPlan",
    "Wall",
    "category_of",
    "find_label",
    "is_label",
]
