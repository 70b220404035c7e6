"""Writers of the formats that teams train on: one module each, named in ``registry``."""
