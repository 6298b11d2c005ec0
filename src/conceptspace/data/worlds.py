"""Every kind of world that an experiment may have. No torch."""

from typing import Annotated

from pydantic import Discriminator, Tag

from conceptspace.concepts.settings import kind_or
from conceptspace.data.readers.arrays import ArraysWorld
from conceptspace.data.readers.celeba import CelebAWorld
from conceptspace.data.readers.digits import DigitsWorld
from conceptspace.data.readers.dsprites import DSpritesWorld
from conceptspace.data.readers.folder import FolderWorld
from conceptspace.data.readers.shapes3d import Shapes3DWorld
from conceptspace.data.vectors import VectorWorld
from conceptspace.data.world import SyntheticWorld

BuiltInWorld = Annotated[
    Annotated[SyntheticWorld, Tag("synthetic")]
    | Annotated[VectorWorld, Tag("vectors")]
    | Annotated[FolderWorld, Tag("folder")]
    | Annotated[ArraysWorld, Tag("arrays")]
    | Annotated[DigitsWorld, Tag("digits")]
    | Annotated[CelebAWorld, Tag("celeba")]
    | Annotated[DSpritesWorld, Tag("dsprites")]
    | Annotated[Shapes3DWorld, Tag("shapes3d")],
    Discriminator(kind_or("synthetic")),
]
