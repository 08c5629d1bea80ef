"""The one step that all travel over the hierarchy consists of, as vector instructions.

``lower_row`` is ``row = min(row, cost[arc] + stack[above[arc]])`` over some arcs, for a whole row of goals. Written as
a loop in Python, numba does not see that it may use vector instructions, and keeps the row in memory between two arcs;
here the row stays in registers, which was measured 10 to 15 times as fast. ``lower_row_plainly`` says the same in
Python; the tests hold the two together.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic


def lower_row_plainly(row: Any, stack: Any, above: Any, cost: Any, first: int, last: int) -> None:
    """Do what ``lower_row`` does, slowly."""
    for arc in range(first, last):
        for goal in range(len(row)):
            row[goal] = min(row[goal], cost[arc] + stack[above[arc], goal])


@intrinsic
def lower_row(
    typing_context: Any, width: Any, row: Any, stack: Any, above: Any, cost: Any, first: Any, last: Any
) -> Any:
    """Lower ``row`` (``width`` whole numbers, a literal) by ``cost[arc] + stack[above[arc]]`` of some arcs.

    All arrays are C-contiguous; ``row``, ``stack`` (levels, width) and ``cost`` are of one whole-number type; ``row``
    may lie in ``stack``, but no arc may lead to it. Nothing is checked.
    """
    if not isinstance(width, types.IntegerLiteral):
        return None
    lanes = width.literal_value

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, row_at, stack_at, above_at, cost_at = (
            context.make_array(kind)(context, builder, value).data if isinstance(kind, types.Array) else None
            for kind, value in zip(signature.args[:5], arguments[:5], strict=True)
        )
        number = context.get_value_type(signature.args[4].dtype)
        many = ir.VectorType(number, lanes)
        align = number.width // 8

        def as_row(pointer: Any) -> Any:
            return builder.bitcast(pointer, many.as_pointer())

        best = cgutils.alloca_once(builder, many)  # type: ignore[no-untyped-call]
        builder.store(builder.load(as_row(row_at), align=align), best)
        with cgutils.for_range_slice(builder, arguments[5], arguments[6], ir.Constant(arguments[5].type, 1)) as (
            arc,
            _,
        ):
            level = builder.load(builder.gep(above_at, [arc]))
            place = builder.mul(builder.zext(level, ir.IntType(64)), ir.Constant(ir.IntType(64), lanes))
            there = builder.load(as_row(builder.gep(stack_at, [place])), align=align)
            step = builder.load(builder.gep(cost_at, [arc]))
            single = builder.insert_element(ir.Constant(many, ir.Undefined), step, ir.Constant(ir.IntType(32), 0))
            spread = ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes)
            way = builder.add(there, builder.shuffle_vector(single, ir.Constant(many, ir.Undefined), spread))
            old = builder.load(best)
            builder.store(builder.select(builder.icmp_signed("<", way, old), way, old), best)
        builder.store(builder.load(best), as_row(row_at), align=align)
        return context.get_dummy_value()

    return types.none(width, row, stack, above, cost, types.int64, types.int64), generate
