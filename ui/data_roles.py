"""What each file of a study is for, in the reader's language."""

from __future__ import annotations

from reports.language import Translator


def name_role(_: Translator, role: str) -> str:
    """Return what a file is for, in the reader's language."""
    return {
        "schools": _("Schools"),
        "roads": _("Roads"),
        "population": _("Population"),
        "zones": _("Catchments today"),
        "sites": _("Candidate sites"),
        "units": _("Planning units"),
        "outline": _("Outline of the county"),
        "rolls": _("Rolls of past years"),
        "births": _("Births"),
        "housing": _("New housing"),
        "assets": _("Teachers, rooms, equipment"),
        "groups": _("Groups and alliances"),
        "evidence": _("Answers for an inspection"),
        "exclusions": _("What keeps schools away"),
        "open_land": _("Open land"),
        "gazetteer": _("Names with places"),
        "buildings": _("Building footprints"),
        "barriers": _("Rivers and railways"),
        "town_totals": _("Totals by township"),
        "age_totals": _("Totals by age"),
    }[role]


def describe_role(_: Translator, role: str) -> str:
    """Return what the file should hold, in one line."""
    return {
        "schools": _(
            "One row per school: code, name, place, places, pupils. Excel, CSV, Shapefile, GeoPackage, GeoJSON."
        ),
        "roads": _(
            "OpenStreetMap (.osm.pbf, .osm), GraphML, or a layer of lines. Without roads, straight lines are used."
        ),
        "population": _(
            "Villages, estates or cells with people or children, or GeoTIFF rasters, also of several years."
        ),
        "zones": _("Which village or estate belongs to which school: a table, or a layer of areas."),
        "sites": _("Where schools could be built. Excel, CSV, Shapefile, GeoPackage, GeoJSON."),
        "units": _("Areas to plan with, where they differ from the population file. Shapefile, GeoPackage, GeoJSON."),
        "outline": _("Instead of a name: an area. Shapefile, GeoPackage, GeoJSON."),
        "rolls": _("Forecast: how many of a grade come to the next one. By school, year and grade."),
        "births": _("Forecast: who starts school in the next years. By unit, town or county and year."),
        "housing": _("Forecast: where families will move to. Dwellings, place and year of completion."),
        "assets": _("Inspection: what each school has per pupil. One row per school, or per school and stage."),
        "groups": _("Inspection: which schools belong together, and how many teachers they exchange."),
        "evidence": _("Inspection: items that no table can answer, with the document that shows it."),
        "exclusions": _("Flood and hazard zones, railways, pipelines, funeral homes …, each with its kind."),
        "open_land": _("Areas on which a school may be built. Shapefile, GeoPackage, GeoJSON."),
        "gazetteer": _(
            "For a population list without positions: villages with a place, as areas, points, or a table. They are "
            "joined by township and name."
        ),
        "buildings": _(
            "Footprints into which the people of areas, cells or points are put. A layer, or OpenStreetMap."
        ),
        "barriers": _("Lines and rivers that children cross only where a road does. Shapefile, GeoPackage, GeoJSON."),
        "town_totals": _("People or pupils of each township: the units are brought to these totals. Excel or CSV."),
        "age_totals": _("People by single year of age, of the county or by township. Excel or CSV."),
    }[role]
