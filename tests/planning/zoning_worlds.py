"""What the tests of zoning share: a short way to ask, random small worlds, and a check by an independent library."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np

from geodata.study import StudyArea
from planning.assignment_options import AssignmentOptions
from planning.rules import read_rulebook
from planning.scenario import Scenario
from planning.zoning import ZoningAnswer, propose_zones
from planning.zoning_options import ZoningOptions
from tests.planning.brute_zones import solve_by_trying
from tests.worlds import WorldSchool, build_world

RULES = read_rulebook("cn")
THREE = "a/A b c\nd e/B f\ng h i/C"
"""Nine villages and three schools; the diagonal ones are two steps apart."""


def ask(
    study: StudyArea,
    zoning: ZoningOptions | None = None,
    assignment: AssignmentOptions | None = None,
    *,
    stage: str = "primary",
    solve: Any = solve_by_trying,
    **more: Any,
) -> ZoningAnswer:
    """Return the zones of one stage, searched by trying every plan unless told otherwise."""
    scenario = Scenario(
        stages=(stage,),  # type: ignore[arg-type]
        enrolment="zoning",
        zoning=zoning or ZoningOptions(),
        assignment=assignment or AssignmentOptions(),
    )
    return propose_zones(study, RULES, scenario, stage, solve=solve, **more)


def build_three(places: tuple[float, float, float] = (40, 40, 40), **changes: Any) -> StudyArea:
    """Nine villages of ten pupils, schools A, B and C on the diagonal."""
    settings: dict[str, Any] = {
        "pupils": dict.fromkeys("abcdefghi", 10.0),
        "schools": {key: WorldSchool(places=number) for key, number in zip("ABC", places, strict=True)},
    }
    return build_world(THREE, **{**settings, **changes})


def read_zone(answer: ZoningAnswer) -> dict[str, str]:
    """Return the schools of every unit, joined by ";" where several share the zone."""
    return answer.zones.groupby("unit_id")["school_id"].agg(";".join).to_dict()


def list_pieces(study: StudyArea, zone: dict[str, str]) -> dict[str, int]:
    """Return the number of pieces of every zone, counted by networkx on the study's own neighbours."""
    graph = nx.Graph()
    graph.add_nodes_from(study.units["unit_id"])
    graph.add_edges_from(zip(study.adjacency.first_ids, study.adjacency.second_ids, strict=True))
    return {
        key: nx.number_connected_components(graph.subgraph([unit for unit, of in zone.items() if of == key]))
        for key in set(zone.values())
    }


def count_pupils(answer: ZoningAnswer) -> float:
    """Return the pupils of the enrolment, the unreached included."""
    return float(np.nansum(answer.enrolment["pupils"]))
