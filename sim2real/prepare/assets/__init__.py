"""What random scenes borrow from public packages: light, photographed surfaces, household models, with licenses and authors."""

from .credits import Credit as Credit
from .credits import attributions as attributions
from .library import Assets as Assets
from .library import open_assets as open_assets
