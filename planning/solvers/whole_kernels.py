"""Local search for whole units with prices: shifts and swaps, with random kicks that are taken back if they do not pay.

With the prices of the split optimum, the cost of a plan is the proven bound plus two kinds of loss: what each unit's
arc is dearer than its least ``cost + price`` (``extra``), and what each school is off its places (places left empty
are lost at their price, overload at its price less that). Both are 0 or more, so a move can gain at most the loss of
the schools it touches: nearly all pairs of units are ruled out unseen.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numba import njit

Array: TypeAlias = "np.ndarray[Any, Any]"
LONGEST_LIST = 64
_TINY = 1e-9


class Plan(NamedTuple):
    """Units with a choice (``start``, ``school``, ``extra``, ``pupils``), schools, and who is where (``at``: an arc).

    ``extra`` is for the whole unit. Units of a school are linked lists by unit. ``link_start``, ``link`` are the
    schools that share units with each school. ``trail`` records moves, its last entry how many.
    """

    start: Array
    school: Array
    extra: Array
    pupils: Array
    places: Array
    price: Array
    overload_price: float
    link_start: Array
    link: Array
    at: Array
    load: Array
    first: Array
    after: Array
    before: Array
    trail: Array


@njit(cache=True, nogil=True)
def first_arcs(start: Array, cost: Array, flow: Array) -> Array:
    """Return the arc of each row that most of its pupils use, the cheapest of several (``-1``: no arc)."""
    first = np.full(len(start) - 1, -1)
    for row in range(len(first)):
        for arc in range(start[row], start[row + 1]):
            best = first[row]
            if best < 0 or flow[arc] > flow[best] or (flow[arc] == flow[best] and cost[arc] < cost[best]):
                first[row] = arc
    return first


@njit(cache=True, nogil=True)
def link_schools(start: Array, school: Array, n_schools: int) -> tuple[Array, Array]:
    """Return for every school those that share units with it."""
    shared = np.zeros((n_schools, n_schools), np.bool_)
    for row in range(len(start) - 1):
        for one in range(start[row], start[row + 1]):
            for two in range(start[row], start[row + 1]):
                shared[school[one], school[two]] = True
    links = np.empty(shared.sum(), np.int64)
    link_start, count = np.zeros(n_schools + 1, np.int64), 0
    for j in range(n_schools):
        for k in range(n_schools):
            if shared[j, k] and j != k:
                links[count] = k
                count += 1
        link_start[j + 1] = count
    return link_start, links[:count]


@njit(cache=True, nogil=True)
def _loss(plan: Plan, j: int, load: float) -> float:
    """Return what a school loses by being off its places."""
    room = plan.places[j] - load
    if room >= 0.0:
        return float(plan.price[j] * room) if plan.price[j] > 0 else 0.0
    return float((plan.price[j] - plan.overload_price) * room)


@njit(cache=True, nogil=True)
def enter_units(plan: Plan) -> None:
    """Link every unit to the school it is at."""
    plan.first[:] = -1
    for row in range(len(plan.at)):
        _enter(plan, row)


@njit(cache=True, nogil=True)
def _enter(plan: Plan, row: int) -> None:
    j = plan.school[plan.at[row]]
    head = plan.first[j]
    plan.after[row], plan.before[row] = head, -1
    if head >= 0:
        plan.before[head] = row
    plan.first[j] = row


@njit(cache=True, nogil=True)
def _shift(plan: Plan, row: int, arc: int) -> float:
    """Move a unit to another of its arcs; return the change of its extra cost."""
    j, k = plan.school[plan.at[row]], plan.school[arc]
    after, before = plan.after[row], plan.before[row]
    if before >= 0:
        plan.after[before] = after
    else:
        plan.first[j] = after
    if after >= 0:
        plan.before[after] = before
    change = float(plan.extra[arc] - plan.extra[plan.at[row]])
    plan.at[row] = arc
    plan.load[j] -= plan.pupils[row]
    plan.load[k] += plan.pupils[row]
    _enter(plan, row)
    return change


@njit(cache=True, nogil=True)
def _record(plan: Plan, row: int) -> bool:
    """Note where a unit is before it moves; return False if the trail is full."""
    last = len(plan.trail) - 1
    count = plan.trail[last]
    if 2 * count + 2 > last:
        return False
    plan.trail[2 * count], plan.trail[2 * count + 1] = row, plan.at[row]
    plan.trail[last] = count + 1
    return True


@njit(cache=True, nogil=True)
def _list_movers(plan: Plan, j: int, k: int, rows: Array, arcs: Array) -> int:
    """List the units at ``j`` that may go to ``k``; return how many (the first found, if there are very many)."""
    count, row = 0, plan.first[j]
    while row >= 0 and count < len(rows):
        for arc in range(plan.start[row], plan.start[row + 1]):
            if plan.school[arc] == k:
                rows[count], arcs[count] = row, arc
                count += 1
                break
        row = plan.after[row]
    return count


@njit(cache=True, nogil=True)
def _improve_school(plan: Plan, j: int, work: Array) -> tuple[int, float]:
    """Make the best shift or swap between ``j`` and a linked school; return that school (``-1``: none) and the gain."""
    out_rows, out_arcs, in_rows, in_arcs = work[0], work[1], work[2], work[3]
    best, best_k, best_out, best_in = -_TINY, -1, (-1, -1), (-1, -1)
    loss_j = _loss(plan, j, plan.load[j])
    for place in range(plan.link_start[j], plan.link_start[j + 1]):
        k = plan.link[place]
        loss = loss_j + _loss(plan, k, plan.load[k])
        n_out, n_in = _list_movers(plan, j, k, out_rows, out_arcs), _list_movers(plan, k, j, in_rows, in_arcs)
        least = 0.0
        for two in range(n_in):
            least = min(least, plan.extra[in_arcs[two]] - plan.extra[plan.at[in_rows[two]]])
        for one in range(-1, n_out):
            step, leave = 0.0, 0.0
            if one >= 0:
                step = plan.extra[out_arcs[one]] - plan.extra[plan.at[out_rows[one]]]
                leave = plan.pupils[out_rows[one]]
            if step + least - loss >= best:
                continue
            for two in range(-1, n_in):
                change, enter = step, 0.0
                if two >= 0:
                    change += plan.extra[in_arcs[two]] - plan.extra[plan.at[in_rows[two]]]
                    enter = plan.pupils[in_rows[two]]
                if change - loss >= best:
                    continue
                moved = leave - enter
                change += _loss(plan, j, plan.load[j] - moved) + _loss(plan, k, plan.load[k] + moved) - loss
                if change < best:
                    best, best_k = change, k
                    best_out = (out_rows[one], out_arcs[one]) if one >= 0 else (-1, -1)
                    best_in = (in_rows[two], in_arcs[two]) if two >= 0 else (-1, -1)
    if best_k >= 0:
        for row, arc in (best_out, best_in):
            if row >= 0:
                _record(plan, row)
                _shift(plan, row, arc)
    return best_k, best


@njit(cache=True, nogil=True)
def _settle(plan: Plan, queue: Array, waiting: Array, count: int, work: Array) -> float:
    """Improve the schools in the queue, and those they touch, until none can; return the change."""
    total, head, n = 0.0, 0, len(waiting)
    while count > 0 and 2 * plan.trail[-1] + 4 < len(plan.trail):
        j = queue[head]
        k, gain = _improve_school(plan, j, work)
        if k >= 0:
            total += gain
            if not waiting[k]:
                waiting[k] = True
                queue[(head + count) % n] = k
                count += 1
        else:
            waiting[j] = False
            head, count = (head + 1) % n, count - 1
    for place in range(count):
        waiting[queue[(head + place) % n]] = False
    return total


@njit(cache=True, nogil=True)
def descend(plan: Plan) -> float:
    """Shift and swap until nothing gains; return the change of the objective."""
    m = len(plan.load)
    queue, waiting = np.arange(m), np.ones(m, np.bool_)
    work = np.empty((4, LONGEST_LIST), np.int64)
    total = 0.0
    while True:
        plan.trail[-1] = 0
        change = _settle(plan, queue, waiting, m, work)
        total += change
        if change > -_TINY:
            plan.trail[-1] = 0
            return total
        queue[:], waiting[:] = np.arange(m), True


class Relay(NamedTuple):
    """What one search for a chain writes, by school: cost so far, pupils coming in, the school before, four places.

    ``steps`` (schools, 4): unit and arc that come in, unit and arc that go out in exchange (``-1``: none).
    """

    cost: Array
    coming: Array
    origin: Array
    done: Array
    steps: Array
    work: Array


@njit(cache=True, nogil=True)
def make_relay(n_schools: int) -> Relay:
    """Return empty working space."""
    return Relay(
        np.full(n_schools, np.inf),
        np.zeros(n_schools),
        np.full(n_schools, -1),
        np.zeros(n_schools, np.bool_),
        np.full((n_schools, 4), -1),
        np.empty((4, LONGEST_LIST), np.int64),
    )


@njit(cache=True, nogil=True)
def relay_loss(plan: Plan, source: int, relay: Relay) -> float:
    """Pass what a school is off its places from school to school until somebody gains; return the change.

    A shortest path search: each link is the swap (or shift) of units that costs least when the school it leaves is
    made good; the path ends where the loss of the last school is smallest.
    """
    m = len(plan.load)
    relay.cost[:], relay.done[:], relay.origin[:] = np.inf, False, -1
    relay.cost[source], relay.coming[source] = 0.0, 0.0
    relay.steps[source, :] = -1
    best, goal = -_TINY, -1
    while True:
        j, least = -1, best
        for k in range(m):
            if not relay.done[k] and relay.cost[k] < (np.inf if k == source else least):
                j, least = k, relay.cost[k]
        if j < 0 or (j != source and relay.cost[j] >= 0.0):
            break
        relay.done[j] = True
        if j != source:
            end = relay.cost[j] + _loss(plan, j, plan.load[j] + relay.coming[j]) - _loss(plan, j, plan.load[j])
            if end < best:
                best, goal = end, j
        for place in range(plan.link_start[j], plan.link_start[j + 1]):
            if not relay.done[plan.link[place]]:
                _relay_link(plan, relay, j, plan.link[place])
    if goal < 0:
        return 0.0
    while goal != source:
        for place in range(0, 4, 2):
            row = relay.steps[goal, place]
            if row >= 0:
                _record(plan, row)
                _shift(plan, row, relay.steps[goal, place + 1])
        goal = relay.origin[goal]
    return best


@njit(cache=True, nogil=True)
def _relay_link(plan: Plan, relay: Relay, j: int, k: int) -> None:
    """Find the swap between ``j`` and ``k`` that best makes good ``j`` with what is coming to it."""
    out_rows, out_arcs, in_rows, in_arcs = relay.work[0], relay.work[1], relay.work[2], relay.work[3]
    n_out, n_in = _list_movers(plan, j, k, out_rows, out_arcs), _list_movers(plan, k, j, in_rows, in_arcs)
    load, busy = plan.load[j] + relay.coming[j], relay.steps[j, 2]
    before = relay.cost[j] - _loss(plan, j, plan.load[j])
    least = 0.0
    for two in range(n_in):
        least = min(least, plan.extra[in_arcs[two]] - plan.extra[plan.at[in_rows[two]]])
    for one in range(-1, n_out):
        step, leave = before, 0.0
        if one >= 0:
            if out_rows[one] == busy:
                continue
            step += plan.extra[out_arcs[one]] - plan.extra[plan.at[out_rows[one]]]
            leave = plan.pupils[out_rows[one]]
        if step + least >= min(relay.cost[k], 0.0):
            continue
        for two in range(-1, n_in):
            cost, enter = step, 0.0
            if two >= 0:
                cost += plan.extra[in_arcs[two]] - plan.extra[plan.at[in_rows[two]]]
                enter = plan.pupils[in_rows[two]]
            if cost >= relay.cost[k] or one + two < -1:
                continue
            cost += _loss(plan, j, load - leave + enter)
            if cost < relay.cost[k]:
                relay.cost[k], relay.coming[k], relay.origin[k] = cost, leave - enter, j
                relay.steps[k, 0] = out_rows[one] if one >= 0 else -1
                relay.steps[k, 1] = out_arcs[one] if one >= 0 else -1
                relay.steps[k, 2] = in_rows[two] if two >= 0 else -1
                relay.steps[k, 3] = in_arcs[two] if two >= 0 else -1


@njit(cache=True, nogil=True)
def relay_losses(plan: Plan, rounds: int) -> float:
    """Relay from every school that loses, the largest loss first, until none gains; return the change."""
    m, total = len(plan.load), 0.0
    relay, loss = make_relay(m), np.empty(m)
    for _ in range(rounds):
        plan.trail[-1] = 0
        for j in range(m):
            loss[j] = _loss(plan, j, plan.load[j])
        gained = 0.0
        for j in np.argsort(-loss):
            while _loss(plan, j, plan.load[j]) > _TINY:
                change = relay_loss(plan, j, relay)
                gained += change
                if change > -_TINY:
                    break
        total += gained
        if gained > -_TINY:
            break
    return total


@njit(cache=True, nogil=True)
def _draw(state: Array, limit: int) -> int:
    """Return a number from 0 to ``limit - 1`` (xorshift64*)."""
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return int((x * np.uint64(2685821657736338717) >> np.uint64(33)) % np.uint64(limit))


@njit(cache=True, nogil=True)
def kick_and_settle(plan: Plan, losing: Array, state: Array, kicks: int, strength: int, patience: float) -> float:
    """Shift a few units at random near a school that loses and settle, many times; return the change, 0 or less.

    ``losing`` are schools to begin at. What is worse by more than ``patience`` is taken back; the best plan wins.
    """
    m = len(plan.load)
    queue, waiting = np.empty(m, np.int64), np.zeros(m, np.bool_)
    work = np.empty((4, LONGEST_LIST), np.int64)
    relay, touched = make_relay(m), np.zeros(m, np.bool_)
    total, best, best_at = 0.0, 0.0, plan.at.copy()
    for _ in range(kicks):
        plan.trail[-1] = 0
        change, count = 0.0, 0
        j = losing[_draw(state, len(losing))]
        for _ in range(1 + _draw(state, strength)):
            row = plan.first[j]
            for _ in range(_draw(state, LONGEST_LIST)):
                if row >= 0 and plan.after[row] >= 0:
                    row = plan.after[row]
            if row < 0 or plan.start[row + 1] - plan.start[row] < 2:
                break
            arc = plan.start[row] + _draw(state, plan.start[row + 1] - plan.start[row])
            k = plan.school[arc]
            if k == j:
                continue
            change -= _loss(plan, j, plan.load[j]) + _loss(plan, k, plan.load[k])
            _record(plan, row)
            change += _shift(plan, row, arc)
            change += _loss(plan, j, plan.load[j]) + _loss(plan, k, plan.load[k])
            for school in (j, k):
                if not waiting[school]:
                    waiting[school] = True
                    queue[count] = school
                    count += 1
            j = k
        change += _settle(plan, queue, waiting, count, work)
        touched[:] = False
        for place in range(plan.trail[-1]):
            row = plan.trail[2 * place]
            touched[plan.school[plan.trail[2 * place + 1]]] = True
            touched[plan.school[plan.at[row]]] = True
        for j in range(m):
            if (
                touched[j]
                and change < 0.5 * _loss(plan, j, plan.load[j])
                and 2 * plan.trail[-1] + 4 * m + 8 < len(plan.trail)
            ):
                change += relay_loss(plan, j, relay)
        if total + change > best + patience:
            for place in range(plan.trail[-1] - 1, -1, -1):
                _shift(plan, plan.trail[2 * place], plan.trail[2 * place + 1])
        else:
            total += change
            if total < best - _TINY:
                best, best_at[:] = total, plan.at
    for row in range(len(best_at)):
        if plan.at[row] != best_at[row]:
            _shift(plan, row, best_at[row])
    plan.trail[-1] = 0
    return best
