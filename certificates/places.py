"""Where everything stands on the paper. Sizes are points, the origin is the lower left corner."""

from dataclasses import dataclass

WIDTH, HEIGHT = 595.276, 841.89  # A4
INSET = 24.0
LEFT, RIGHT = 66.0, WIDTH - 66.0
BAND_BOTTOM = HEIGHT - 172.0
SEAL_RADIUS = 59.5  # 42 mm across, the size of a county federation's seal
SEAL_AT = (468.0, 183.0)
ISSUER_AT = (318.0, 240.0)
PORTRAIT = (RIGHT - 99.2, 518.0, 99.2, 138.9)  # 35 × 49 mm, a two-inch photo
CODE = (LEFT, 134.0, 107.7, 107.7)  # 38 mm, readable at 150 dpi
TITLE = ("残疾人证", "Disability Certificate")
DEMO_NOTE = ("演示样张，不具法律效力", "Demonstration copy, of no legal effect")
NOTES = (
    (
        "本证为电子签名文件，任何改动均可被发现。核验方式：在签发机关的核验网页选择本文件，或扫描二维码离线核验。",
        "This is an electronically signed file: any change to it is detected. Check it on the"
        " issuer's page by choosing the file, or offline by scanning the code.",
    ),
    (
        "本证免费发放，有效期十年，第九年末起可换领。遗失请向县级残联申请挂失补办。",
        "Issued free of charge. Valid for ten years, renewable from the end of the ninth."
        " Report a loss to the county federation.",
    ),
)


class DoesNotFit(ValueError):
    """A text is too long for its place on the paper; the message names the place only."""

    def __init__(self, place: str) -> None:
        self.place = place
        super().__init__(f"the {place} is too long for its place on the certificate")


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a field stands: left edge and baseline of its label, width, sizes to try in turn."""

    x: float
    y: float
    width: float
    sizes: tuple[float, ...] = (13.0, 11.5, 10.0, 9.0)
    lines: int = 1
    bold: bool = False
    drop: float = 21.0
    tracking: float = 0.0


TWO_LINES = 9.6
"""Largest size at which two lines fit between a field's label and its rule."""

SLOTS = {
    "name": Slot(LEFT, 646, 236, (19.0, 16.0, 13.0, 10.5, 9.5, 8.8, 8.0), lines=2, drop=23),
    "sex": Slot(318, 646, 90),
    "ethnicity": Slot(LEFT, 600, 160),
    "birth_on": Slot(236, 600, 172),
    "number": Slot(LEFT, 554, 342, (18.0, 16.0), tracking=1.1, drop=23),
    "category": Slot(LEFT + 18, 489, 180, (21.0,), bold=True, drop=27),
    "grade": Slot(318, 489, 180, (21.0,), bold=True, drop=27),
    "address": Slot(LEFT, 422, RIGHT - LEFT, (13.0, 11.0, 9.5, 8.6, 7.6), lines=2),
    "telephone": Slot(LEFT, 370, 140),
    "guardian": Slot(222, 370, 150, (13.0, 11.0, 9.0, 8.0, 7.2, 6.6, 6.0), lines=2),
    "guardian_telephone": Slot(388, 370, RIGHT - 388),
    "issued_on": Slot(LEFT, 322, 220),
    "valid_until": Slot(318, 322, RIGHT - 318),
}
RULES = tuple((y, LEFT, right) for y, right in ((617, 408), (571, 408), (393, RIGHT)))
RULES += ((341, LEFT, RIGHT), (293, LEFT, RIGHT))
BACK_LABEL_Y = HEIGHT - 142.0
TABLE_TOP, TABLE_ROW = HEIGHT - 236.0, 34.0
LABEL_SIZE, LABEL_ENGLISH = 8.4, 7.2
