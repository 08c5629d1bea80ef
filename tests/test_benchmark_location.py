"""The location benchmark reads every layout, by content, and its answers can be counted from the plan it writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.location import main
from benchmarks.location_files import CaseError, build_problem, find_optimum, read_case

# Two sites (capacities 9 and 6, costs 10 and 4), three rows of demand 2, 3, 4.
WAREHOUSES = "2 3\n9 10.\n6 4.\n2\n1. 5.\n3\n2.\n6.\n4\n7. 3.\n"
SITES_FIRST = "2 3\n9 10\n6 4\n2. 3. 4.\n1 2 7\n5 6 3\n\x00\x00"
ROWS_FIRST = "3   2\n 1.00 5.00\n 2.00 6.00\n 7.00 3.00\n 2.00 3.00 4.00\n 10.00 4.00\n 9.00 6.00\n\n\x1a"
# A path 1 - 2 - 3 - 4 of lengths 5, 1, 2; the first edge is given again with 3.
GRAPH = " 4 4 2 \n 1 2 5 \n 2 3 1 \n 3 4 2 \n 2 1 3 \n"
POINTS = " 7 12\n 3 1 9\n 1 0 0 4\n 2 3 4 3\n 3 1 1 2\n"
PLACES = "3 1\n 0 0 9 4\n 3 4 9 3\n 1 1 9 2\n"
UNITS = (
    "OID\tpop\tX\tY\tReserved\tfcost\tcapa\t\r\n"
    "10\t4\t0\t0\t0\t5\t20\t\r\n11\t3\t3000\t4000\t1\t0\t0\t\r\n12\t2\t0\t1000\t2\t7\t20\t\r\n"
)
LAYOUTS = {
    "warehouses": WAREHOUSES,
    "sites_first": SITES_FIRST,
    "rows_first": ROWS_FIRST,
    "graph": GRAPH,
    "points": POINTS,
    "places": PLACES,
    "units": UNITS,
}


def write(folder: Path, text: str, name: str = "instance") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8", newline="")
    return path


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    assert main([*map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)  # type: ignore[no-any-return]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layout_is_told_by_content(tmp_path: Path, layout: str) -> None:
    assert read_case(write(tmp_path, LAYOUTS[layout])).layout == layout


@pytest.mark.parametrize("layout", ["warehouses", "sites_first", "rows_first"])
def test_tables_of_costs(tmp_path: Path, layout: str) -> None:
    case = read_case(write(tmp_path, LAYOUTS[layout]))
    assert case.cost.tolist() == [[1, 5], [2, 6], [7, 3]]
    assert case.demand.tolist() == [2, 3, 4]
    assert case.capacity.tolist() == [9, 6]
    assert case.fixed_cost.tolist() == [10, 4]


def test_a_square_table_is_told_by_its_lines(tmp_path: Path) -> None:
    sites_first = read_case(write(tmp_path, "2 2\n9 10\n6 4\n2 3\n1 2\n5 6\n"))
    assert (sites_first.layout, sites_first.cost.tolist()) == ("sites_first", [[1, 5], [2, 6]])
    warehouses = read_case(write(tmp_path, "2 2\n9 10\n6 4\n2\n1 5\n3\n2 6\n"))
    assert (warehouses.layout, warehouses.cost.tolist()) == ("warehouses", [[1, 5], [2, 6]])


def test_graph(tmp_path: Path) -> None:
    case = read_case(write(tmp_path, GRAPH))
    assert case.cost.tolist() == [[0, 3, 4, 6], [3, 0, 1, 3], [4, 1, 0, 2], [6, 3, 2, 0]]
    assert case.count == 2
    assert build_problem(case, "pmedian", count=1)[0].count == 1


def test_points_and_places(tmp_path: Path) -> None:
    points, places = read_case(write(tmp_path, POINTS)), read_case(write(tmp_path, PLACES))
    assert points.cost.tolist() == [[0, 5, 1], [5, 0, 3], [1, 3, 0]]  # 1.41 and 3.61, cut
    assert (points.count, points.capacity.tolist(), points.optima) == (1, [9, 9, 9], {"cpmp": 12})
    assert places.cost[0] == pytest.approx([0, 5, 2**0.5])
    assert places.demand.tolist() == points.demand.tolist() == [4, 3, 2]


def test_units(tmp_path: Path) -> None:
    # Sites are the units with a capacity, whatever the reserved column says; costs are demand times km.
    case = read_case(write(tmp_path, UNITS))
    assert case.site_ids.tolist() == [10, 12]
    assert case.cost == pytest.approx(np.array([[0, 4], [15, 3 * 18**0.5], [2, 0]]))
    assert build_problem(case, "sscflp")[1] == ["Service areas need not be in one piece."]
    assert build_problem(case, "pcenter", count=1)[0].cost[2, 0] == 1


def test_capacity_of_the_series(tmp_path: Path) -> None:
    case = read_case(write(tmp_path, WAREHOUSES.replace("9 10.", "capacity 10.").replace("6 4.", "capacity 4.")))
    open_problem, notes = build_problem(case, "cflp")
    assert np.isinf(open_problem.capacity).all() and "no limit" in notes[0]
    problem, notes = build_problem(case, "cflp", capacity=5.0)
    assert problem.capacity.tolist() == [5, 5] and "5" in notes[0]
    with pytest.raises(CaseError, match="hold less"):
        build_problem(case, "cflp", capacity=4.0)


def test_published_values_beside_the_file(tmp_path: Path) -> None:
    write(tmp_path, "file,n,p,pmedian_opt,pcenter_opt\npmed7.txt,4,2,5,3\n", "optima.csv")
    write(tmp_path, "7\n14.5\n", "os")
    graph = read_case(write(tmp_path, GRAPH, "pmed7.txt"))
    assert graph.optima == {"pmedian": 5, "pcenter": 3}
    assert find_optimum(graph, "pcenter", build_problem(graph, "pcenter", count=1)[0]) is None
    case = read_case(write(tmp_path, SITES_FIRST, "p2"))
    assert find_optimum(case, "sscflp", build_problem(case, "sscflp")[0]) == 14.5
    assert find_optimum(case, "cflp", build_problem(case, "cflp")[0]) is None


def test_center_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # Open 1 and 3: vertices 2 and 4 are 1 and 2 away.
    out = tmp_path / "plan.json"
    found = run(capsys, write(tmp_path, GRAPH), "--kind", "pcenter", "--out", out)
    assert (found["objective"], found["bound"], found["gap"], found["status"]) == (2, 2, 0, "optimal")
    assert (found["rows"], found["sites"], found["p"]) == (4, 4, 2)
    assert found["seconds"] >= 0
    plan = json.loads(out.read_text(encoding="utf-8"))
    distance = read_case(write(tmp_path, GRAPH)).cost
    assert max(distance[line["row"] - 1, line["site"] - 1] for line in plan["site_of_row"]) == 2
    assert "from 1" in plan["numbering"]


def test_split_location_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # Site 1 alone holds all 9: 10 + 1 + 2 + 7 = 20. Both: 14 + 1 + 2 + 3 = 20. The second site alone holds 6.
    out = tmp_path / "plan.json"
    found = run(capsys, write(tmp_path, SITES_FIRST), "--kind", "cflp", "--out", out)
    assert found["objective"] == pytest.approx(20)
    assert found["gap"] <= 1e-6
    plan = json.loads(out.read_text(encoding="utf-8"))
    assert sum(line["share"] for line in plan["shares"]) == pytest.approx(3)
    assert {line["site"] for line in plan["shares"]} <= set(plan["open_sites"])


def test_readable_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(write(tmp_path, GRAPH)), "--kind", "pcenter"]) == 0
    text = capsys.readouterr().out
    assert "objective  2.0" in text and "gap        0.0000%" in text


@pytest.mark.parametrize(
    ("text", "kind", "told"),
    [
        ("", "cflp", "is empty"),
        ("1 2 3 4\n", "cflp", "none of the known layouts"),
        ("2 3\nx 4\n", "cflp", "line 2: 'x' is not a number"),
        ("name,value\n1,2\n", "sscflp", "every line must hold id"),
        (GRAPH, "cflp", "pmedian, pcenter"),
        (GRAPH.replace("3 4 2", "3 9 2"), "pcenter", "outside 1 to 4"),
        (SITES_FIRST.replace("2. 3. 4.", "2. 3. 40."), "cflp", "hold less than the demand"),
        (SITES_FIRST.replace("2. 3. 4.", "2. -3. 4."), "cflp", "below 0"),
        (UNITS, "pmedian", "give it with --p"),
    ],
)
def test_errors_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, kind: str, told: str) -> None:
    assert main([str(write(tmp_path, text)), "--kind", kind, "--json"]) == 1
    assert told in capsys.readouterr().err


def test_missing_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "nothing"), "--kind", "cflp"]) == 1
    assert "cannot be read" in capsys.readouterr().err


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "layout", "shape", "kind", "optimum"),
    [
        ("bench/orlib_pmed/pmed11.txt", "graph", (300, 300), "pcenter", 59),
        ("bench/orlib_pmedcap/pmedcap1_12.txt", "points", (100, 100), "cpmp", 966),
        ("bench/sjc_cpmp/SJC3a.dat", "places", (300, 300), "cpmp", 45335.16),
        ("bench/sjc_cpmp/TA25.dat", "places", (25, 25), "cpmp", None),
        ("bench/orlib_cap/cap102.txt", "warehouses", (50, 25), "cflp", 854704.2),
        ("bench/orlib_cap/capb.txt", "warehouses", (1000, 100), "cflp", 12979071.582),
        ("bench/sscflp_holmberg/p40", "sites_first", (150, 30), "sscflp", 13024),
        ("bench/sscflp_orlib_small/p1", "sites_first", (50, 16), "sscflp", 932615.75),
        ("bench/sscflp_yang/Y2/p1", "sites_first", (200, 60), "sscflp", 27977),
        ("bench/sscflp_delmaire/p43", "rows_first", (75, 30), "sscflp", 5114),
        ("henan_kong/cflsap/zya1.txt", "units", (324, 36), "sscflp", None),
        ("henan_kong/cflsap/gyc5.txt", "units", (1276, 33), "sscflp", None),
    ],
)
def test_published_files(
    cases: Path, name: str, layout: str, shape: tuple[int, int], kind: str, optimum: float | None
) -> None:
    case = read_case(cases / name)
    assert (case.layout, case.cost.shape) == (layout, shape)
    assert find_optimum(case, kind, build_problem(case, kind)[0]) == optimum


@pytest.mark.real
@pytest.mark.parametrize("name", ["gya1", "gyb3", "gyc5", "zya1", "zyb3", "zyc5"])
def test_published_plans_cost_what_their_names_say(cases: Path, name: str) -> None:
    case = read_case(cases / "henan_kong" / "cflsap" / f"{name}.txt")
    (file,) = (cases / "henan_kong" / "cflsap" / "bestSolutions").glob(f"{name}.txt_*")
    plan = np.array([line.split() for line in file.read_text().splitlines()[1:] if line.strip()], dtype=np.int64)
    # The plan counts units from 0 in the order of the file.
    site = np.searchsorted(case.site_ids, case.row_ids[plan[:, 2]])
    cost = case.cost[plan[:, 0], site].sum() + case.fixed_cost[np.unique(site)].sum()
    assert int(cost) == case.optima["sscflp_best_known"] == int(file.stem.split("_")[-1])
    loads = np.bincount(site, weights=case.demand[plan[:, 0]], minlength=len(case.capacity))
    assert (loads <= case.capacity).all()
