"""Which light, surfaces and models are taken, by hand: no package says how many metres a picture covers, or what is a mug."""

from __future__ import annotations

from dataclasses import dataclass

INDOOR = ("apartment", "hall", "lab", "lobby", "studio", "warehouse", "workshop", "interior", "studio 2")
"""Environment maps of places with lamps and windows; " 2" is the second map of that name."""
OUTDOOR = (
    *("bridge", "city", "courtyard", "park", "venice", "esplanade", "dawn", "sunrise", "forest", "sky"),
    *("city 2", "forest 2", "sunrise 2"),
)
"""Environment maps of places under the sky."""


@dataclass(frozen=True)
class Surface:
    """A photographed surface.

    - ``file`` is the end of its path in the models' packages.
    - ``width_m`` is how many metres the picture's width covers.
    - ``turned``: a quarter turn makes its grain run along u.
    """

    file: str
    width_m: float
    turned: bool = False


WOOD = (
    Surface("antiqueChair/cherry.jpg", 0.35, True),
    Surface("drawersCabinet/american_oak.jpg", 0.6, True),
    Surface("captains-bed/woodtexture.jpg", 0.6, True),
    Surface("round-table/oaktexture.jpg", 0.6, True),
    Surface("step-ladder-wood/wood-texture.jpg", 0.5, True),
    Surface("living_room_table/beige_tileable.jpg", 0.5, True),
    Surface("wardrobe1/rojiza.jpg", 0.5, True),
    Surface("bowlWithSalad/textureWoodBowl.jpg", 0.5, True),
    Surface("chairWithCushion/Wood_013_COLOR.jpg", 0.7),
    Surface("table-on-trestles/texture-bois.jpg", 0.9),
    Surface("puerta/tilewood.jpg", 0.5),
    Surface("wooden_office_alder_table/alder_tileable.jpg", 0.7),
    Surface("wooden_office_teak_table/teak_tile.jpg", 0.7),
    Surface("table/Tabletop-light.jpg", 0.6),
    Surface("kitchenDrawersCabinet/Worktopt-light.jpg", 0.7),
    Surface("oakChair/oak.jpg", 0.35, True),
    Surface("bedsideTable/Wood1.jpg", 0.5, True),
    Surface("littlebank/madera_pino.jpg", 0.6),
    Surface("box_room/mohogany_light.jpg", 0.4),
)
PLANKS = (
    Surface("jacuzzi/paneling-for-interior.jpg", 0.9),
    Surface("garden-hut/gardenHutTexture.jpg", 1.2, True),
    Surface("yuccaPlant/wood.jpg", 0.7),
    Surface("kitchenChair/Wood_plancks_003_COLOR.jpg", 0.9, True),
    Surface("drawersCabinet/american_oak.jpg", 0.96, True),
    Surface("captains-bed/woodtexture.jpg", 0.96, True),
    Surface("round-table/oaktexture.jpg", 0.96, True),
    Surface("step-ladder-wood/wood-texture.jpg", 0.8, True),
)
STONE = (
    Surface("drawersCabinet/marble_14.jpg", 0.4),
    Surface("rock1/rock01.jpg", 0.5),
    Surface("rock2/rock02.jpg", 0.5),
    Surface("rock3/rock03.jpg", 0.5),
    Surface("fountain/white-marble.jpg", 0.5),
    Surface("bathroom_vanity/marble_public_dom_clair.jpg", 0.8),
    Surface("stoneGrillDevice/textureStone.jpg", 0.5),
)
WALL = (
    Surface("chimney/OcherTexture.jpg", 0.5),
    Surface("com_bath3/toalla_bump.jpg", 0.35),
    Surface("fountain/white-marble.jpg", 1.5),
    Surface("clothes-basket/fabric_beige.jpg", 0.4),
    Surface("curtain/beige_pattern.jpg", 0.4),
    Surface("stoneLantern/1K-cave_rock_1-diffuse.jpg", 0.8),
)
CLOTH = (
    Surface("couch/Plain001.jpg", 0.35),
    Surface("couch2/Fabric_011_COLOR.jpg", 0.3),
    Surface("cornerSofa/Fabric_04.jpg", 0.3),
    Surface("chair/tecido.jpg", 0.2),
    Surface("chair2/NY_Chaise_Red.jpg", 0.2),
    Surface("chairWithCushion/Denim_001_COLOR.jpg", 0.2),
    Surface("plaidChair/cloth-texture-19.jpg", 0.25),
    Surface("sofa3/dark-brown_leather.jpg", 0.3),
    Surface("convertible-sofa-BZ-closed/texturefabric.jpg", 0.3),
    Surface("folded_clothes/blue-fabric.jpg", 0.25),
    Surface("futon/wallpaper-chiyogami.jpg", 0.5),
    Surface("hammock/fabricTexture.jpg", 0.3),
    Surface("curtain/beige_pattern.jpg", 0.3),
)
SURFACES = {"wood": WOOD, "planks": PLANKS, "stone": STONE, "wall": WALL, "cloth": CLOTH}

CLUTTER = tuple(
    (
        "ashtray 12-oz-glass highball-glass apples beerGlass bowl bowlWithFruits bowlWithSalad bread breadBox bread-plate "
        "butter cactus caffe_final candle clock coffeeBrewer coffee-maker coffee-mug coffeePress complements2 "
        "cocktailGlass com_bath com_bath2_esponja com_bath2_jabon_pijo com_bath2_soap com_bath3_toalla cosmeticsPot "
        "creamer cup cupcake deepFryerWithFrenchFries desklamp desk_lamp1 desk_lamp2 dinner-plate electronicScale "
        "espressokettle flacon folded_clothes frenchFries hamburger hotDog kitchenKnifeStandSet kitchenScale kitchenaid "
        "knifeStandSwap littlePlant marteau medicoscopia_bottle medicoscopia_bottle2 medicoscopia_box newspaper "
        "oil-servers old_jar paperTowelHolder penbox perceuse-electrique plasticCup pottery red-wine-bottle-01 "
        "rouleau-de-ruban-adhesif saltShaker sandwichMaker small-oven spiceTower spray-bottle stapler steak "
        "succulentPlant sugar sushi_tray tableFan tape-measure teapot tetrapak toaster tournevis tray utensilsPot vase1 "
        "vase2 vase3 wine_bottle yogurtBottle bandeja kalender cissors_swap textMarker flashlight mamadeira birthday_cake "
        "little_lamp1 little_lamp2 table_lamp lamp campingLamp JapaneseLantern recycling-bin plate-and-ustensils "
        "ensemble-assiette-couteau-fourchette-cuillere-verre keys sunglasses glasses cooker stoneGrillDevice "
        "meuleuse-electrique"
    ).split()
)
"""Models that lie and stand about, by the folder that they are in."""

FURNITURE = tuple(
    (
        "armchair armchair1 armchair2 armchair3 modernArmchair modern_armchair fotel winchesterArmchair mid-century-chair "
        "antiqueChair chair chair2 chair3 chair4 oakChair plasticChair plastic_chair sillaBlanca silla2 stool "
        "kitchen_stool bar-stool dining-chair kitchenChair plaidChair white_kitchen_chair osakaChair designChair "
        "cafe-chair foldingChair office-chair office_chair tubular_chair ryokanChair rattanArmchair chairWithCushion "
        "bookcase full-bookcase cupboard wardrobe1 shelves verticalShelves utility-shelving desk televisionCabinet "
        "tvStand dresserWithDrawers chest bedsideTable bedsideTable2 radiator radiator2 radiator3 modernRadiator crate "
        "barrel dustbin bullet-trash-can drawersCabinet lowerCabinet highCabinet clothes-basket suitcase decorativePlant "
        "mediumIndoorPlant augalas plant maceta yuccaPlant round-table coffee_table table_wood_and_iron filing-cabinet "
        "clothes-rack step-ladder-wood sofa2 couch3 simple_sofa clear_sofa burlap_sofa futon-couch puff lamp2 living_lamp "
        "vase5 kids_shelves kids_wooden_desk lockedLocker fireExtinguisher water_cooler refrigerator largeFridge fridge "
        "clothes_washing_machine electric_water_heater_big workbench technicalTable2 whiteBoard broom letters_box "
        "office_box fireplace1 dressing-table cone trunk-large pedestal-vase-lamp table-with-leaning-feet folding-table"
    ).split()
)
"""Models that stand on the floor."""

SOCKETS = tuple(
    (
        "rounded-plug-TypeE square-plug-TypeE plug-TypeE-whites rounded-plug-TypeB plug-TypeB-whites square-plug-TypeG "
        "plug-TypeG-whites RJ-45-whites square-RJ-45 rounded-plug-TypeCFlat plug-TypeCFlat-whites"
    ).split()
)
SWITCHES = tuple(
    (
        "rounded-switch square-switch switch-whites rounded-double-switch double-switch-whites square-double-switch "
        "dimmer-whites"
    ).split()
)
HANGING = tuple(
    (
        "cuckooClock clock intercom_with_screen kitchenHood glassDoorCabinet smallUpperCabinet dart_game "
        "internal-unity-air-conditioning"
    ).split()
)
"""Models that hang on a wall; the catalog knows how high."""

EXCLUDED = frozenset(
    (
        "iphone apple_pc apple-ibook-2001 apple-imac-1998 playstation4 ps4-joystick basic_camera reflex_camera phone "
        "wirelessOfficePhone3 mp3_base_for_ipad mp3Station led_tv tv dvd laptop headphones handbag VW-new-beetle "
        "seat_leon peugeot-308 renault-scenic fordFocus chevrolet smart-car yamaha-yzr-r6 peterbilt dafTruck bonecoDeNeve "
        "chicken teddyBear deer sneakers frame1 frame2 billet-10-euros billet-20-euros billet-50-euros"
    ).split()
)
"""Folders whose models carry trade marks, characters, banknotes or other people's pictures: never taken."""
