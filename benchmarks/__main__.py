"""``make bench``: every benchmark, one after the other. Each prints ratios against a named peer in the same run."""

from benchmarks import (
    access,
    app,
    assignment,
    blocks,
    consultation,
    covering,
    drawing,
    drawing_numbers,
    flips,
    forecast,
    outlines,
    p_median,
    read,
    run,
    siting,
    travel,
    what_if,
)

for module in (
    travel,
    read,
    access,
    run,
    assignment,
    flips,
    outlines,
    blocks,
    drawing_numbers,
    what_if,
    forecast,
    covering,
    p_median,
    siting,
    consultation,
    app,
    drawing,
):
    print(f"\n## {module.__name__}\n\n{(module.__doc__ or '').splitlines()[0]}\n")
    module.main()
