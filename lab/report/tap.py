# SPDX-License-Identifier: GPL-2.0
"""Reads TAP files: what rows, units and totals have in common."""

import pathlib
import re

RESULT = re.compile(r"^(not )?ok\b\s*(\d+)?\s*-?\s*(.*)$")
PLAN = re.compile(r"^1\.\.(\d+)")
COVERS = re.compile(r"^#\s*covers:\s*(.*)$")
SKIP = re.compile(r"#\s*skip\b", re.I)


class Result:
    """One result line, with the rows that the lines before it claim."""

    def __init__(self, path, name, outcome, rows):
        self.path = path
        self.name = name
        self.outcome = outcome
        self.rows = rows


def read_file(path):
    """Yields the results of one file; those planned but missing failed."""
    rows = []
    planned = seen = 0
    with open(path, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            line = line.rstrip()
            if match := PLAN.match(line):
                # Programs may follow one another in one file.
                yield from missing(path, planned, seen)
                planned, seen = int(match[1]), 0
            elif match := COVERS.match(line):
                rows += match[1].replace(",", " ").split()
            elif match := RESULT.match(line):
                seen += 1
                outcome = "failed" if match[1] else "passed"
                if SKIP.search(match[3]):
                    outcome = "skipped"
                yield Result(path, match[3] or f"test {seen}", outcome, rows)
                rows = []
    # A plan may also come last.
    yield from missing(path, planned, seen if seen else planned)
    if not planned and not seen:
        yield Result(path, "no result at all", "failed", [])


def missing(path, planned, seen):
    """The tests a program announced and never came to."""
    for number in range(seen + 1, planned + 1):
        yield Result(path, f"test {number} never ran", "failed", [])


def read(directories):
    """Yields the results of every .tap file below the directories."""
    for directory in directories:
        for path in sorted(pathlib.Path(directory).rglob("*.tap")):
            yield from read_file(path)
