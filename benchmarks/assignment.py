"""stub"""
import numpy as np
from planning.solvers.problems import TransportProblem
def solve_with_ortools(problem: TransportProblem, scale: int) -> float:
    from ortools.graph.python import min_cost_flow

    n, m = problem.n_rows, problem.n_schools
    flow = min_cost_flow.SimpleMinCostFlow()
    rows = np.repeat(np.arange(n), np.diff(problem.start))
    pupils = np.rint(problem.pupils).astype(np.int64)
    total = int(pupils.sum())
    schools = n + np.arange(m)
    flow.add_arcs_with_capacity_and_unit_cost(rows, n + problem.school.astype(np.int64), pupils[rows], np.rint(problem.cost * scale).astype(np.int64))
    flow.add_arcs_with_capacity_and_unit_cost(schools, np.full(m, n + m), np.minimum(problem.places, total).astype(np.int64), np.zeros(m, np.int64))
    flow.add_arcs_with_capacity_and_unit_cost(schools, np.full(m, n + m), np.full(m, total), np.full(m, round(problem.overload_price * scale)))
    flow.set_nodes_supplies(np.arange(n), pupils)
    flow.set_node_supply(n + m, -total)
    assert flow.solve() == flow.OPTIMAL
    return flow.optimal_cost() / scale
