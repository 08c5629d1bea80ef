"""Kills a writing process at random moments, again and again; prints what every round acknowledged, as JSON.

Run as a program of its own: it forks, which a test process with threads should not. Each child writes and tells over a
pipe only what the store has answered; the parent kills it (SIGKILL) and looks at the file at once.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

import alembic.command  # noqa: F401 - loaded before the fork, so that the child is killed in the store's own work

from store import Store, open_store


def write(url: str, pipe: int, round_number: int) -> None:
    """Create, save, rename, delete and bring back for ever; tell each answer in one write to the pipe."""
    chance = random.Random(round_number)
    store = open_store(url)
    os.write(pipe, b'{"what": "open"}\n')
    count = 0
    while True:
        count += 1
        for answer in change(store, f"r{round_number} n{count}", chance):
            os.write(pipe, json.dumps(answer).encode() + b"\n")


def change(store: Store, name: str, chance: random.Random) -> list[dict[str, Any]]:
    text = name * chance.randint(1, 3_000)  # from one page of the file to many
    made = store.create_scenario("crash", name, text, name)
    told = [describe(made)]
    saved = store.save_scenario(made.scenario_id, text[::-1], name, 1)
    told.append(describe(saved))
    if chance.random() < 0.3:
        told.append(describe(store.delete_scenario(made.scenario_id, name)))
    if chance.random() < 0.3:
        store.save_run(made.scenario_id, 2, {"text": text}, {"x": 1.0}, name, name)
    return told


def describe(stored: Any) -> dict[str, Any]:
    return {"id": stored.scenario_id, "version": stored.version, "text": stored.text, "deleted": stored.deleted}


def run_round(url: str, round_number: int, answers: int, wait_s: float) -> list[dict[str, Any]]:
    """Let a child write, kill it ``wait_s`` after so many answers, and return all that it was told."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            write(url, writing, round_number)
        finally:
            os._exit(1)
    os.close(writing)
    told = b""
    while told.count(b"\n") < answers:
        told += os.read(reading, 1 << 16)
    time.sleep(wait_s)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "the child ended by itself"
    with os.fdopen(reading, "rb") as stream:
        lines = (told + stream.read()).split(b"\n")
    return [json.loads(line) for line in lines[:-1]]


def look(path: str) -> dict[str, Any]:
    """What the file says right after the kill, read past the store."""
    base = sqlite3.connect(path)
    try:
        sound = base.execute("PRAGMA integrity_check").fetchone()[0]
        strangers = base.execute("PRAGMA foreign_key_check").fetchall()
        return {"sound": sound, "strangers": len(strangers)}
    finally:
        base.close()


def main(path: str, rounds: int, *, fresh: bool) -> None:
    """``fresh``: each round makes a new database, and every other one is killed while it does."""
    chance = random.Random(rounds)
    found = []
    for number in range(rounds):
        file = f"{path}-{number}" if fresh else path
        answers, wait_s = chance.randint(1, 8), chance.uniform(0.0, 0.02)
        if fresh:
            answers, wait_s = (1, chance.uniform(0.0, 0.005)) if number % 2 else (0, 0.1 * number / rounds)
        told = run_round(f"sqlite:///{file}", number, answers, wait_s)
        there = Path(file).exists()
        found.append({"file": file if there else "", "told": told, **(look(file) if there else {})})
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), fresh=sys.argv[3] == "fresh")
