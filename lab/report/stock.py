# SPDX-License-Identifier: GPL-2.0
"""The document of lab/peer: which tests the stock driver does not pass, and why."""

import collections
import errno
import re

ROW = re.compile(r"^   \* - `*((?:F-)?[A-Z]+-\d+)`*\n     - ((?:.+\n(?:       .*\n)*))", re.M)
WORDS = {
    "fails": "fails",
    "complains": "makes the kernel complain",
    "hangs": "hangs",
    "crashes": "crashes the host",
}
# A check of the harness that failed: wanted, compared by, seen, with their values.
CHECK = re.compile(r"^# \w+\.c:\d+:\w+:Expected (.+?) \((-?\w+)\) ([=!<>]+) (.+) \((-?\w+)\)$", re.M)
LEAK = re.compile(r"^# leak: (.+)$", re.M)
LOG = re.compile(r"^# kernel log: (.+)$", re.M)
COMPLAINT = re.compile(r"\b(WARNING|BUG|Oops|soft lockup|general protection fault)[: ]")
BLOCKED = "blocked for more than"
FUNCTION = re.compile(r"RIP: 0010:(\w+)")
# What the stock driver does always makes tests of something else fail, too: by what
# is seen, and its value, the row of it. A log line is the third such habit.
HABITS = (
    (re.compile(r"(^|[._])len$"), "0", "REQ-39"),
    (re.compile(r"vs_tmf\(|rsp|use_every_queue\("), "10", "CTL-03"),
)
SILENCE = "F-SE-06"
# Tests whose first row is not the reason.
BECAUSE = {
    "control_test wrong_lun_form_is_refused": "F-RQ-03",
    "cdb_test every_opcode_gets_an_answer": "REQ-35",
    "data_test inquiry_into_a_large_buffer_reports_the_rest": "F-RQ-11",
    "data_test read_that_asks_more_than_the_buffer_is_never_good": "REQ-35",
    "endpoint_test name_that_fills_the_field_never_matches_more": "F-LC-06",
    "event_missed_test linux_guest_finds_what_it_missed": "REQ-14",
    "layout_test data_cut_in_odd_pieces": "F-RQ-13",
    "machine_test close_clears_whatever_has_become_of_a_ring": "F-LC-08",
    "memory_test pages_are_pinned_and_given_back": "F-RS-02",
}
HEAD = """\
.. SPDX-License-Identifier: GPL-2.0

================================================
What is different from the stock driver, and why
================================================

Written by ``lab/peer`` (``make peer``), which runs the kselftests of this driver
on the distribution's ``vhost_scsi``, with kernel 6.12 and with the newest one of
trixie-backports. Of {total} tests, {same} do the same with both drivers, {different} do not. These
are here, with the first check that failed or the first complaint of the kernel,
and with a row of Documentation/target/tcm_vhost-conformance.rst: what it asks for
is why this driver does otherwise. What is -ETIMEDOUT is a head that never came back.

Three habits of the stock driver make tests fail that are about something else:
its used length is always 0 (REQ-39), it answers a task management function that
was done with 10 instead of 0 (CTL-03), and it prints a line for a mistake of the
guest or the VMM (F-SE-06). {masked} tests fail for nothing but these, and name that row.

.. list-table::
   :header-rows: 1
   :widths: 26 8 30 36

   * - Test
     - Kernel
     - Stock driver
     - Why this driver does otherwise
"""


def habit(sign, what, got):
    """The row of the habit that makes a check fail, None if there is no such."""
    for seen, value, row in HABITS:
        if sign == "==" and got == value and seen.search(what):
            return row
    return None


def failures(said):
    """The checks that failed: in words, and the row if it is a habit."""
    leak, log = LEAK.search(said), LOG.search(said)
    for want, _, sign, what, got in CHECK.findall(said):
        if "vs_env_put(" in what and leak:
            yield f"leaves behind: {leak[1]}", None
        elif "vs_env_put(" in what and log:
            yield f"prints ``{log[1]}``", SILENCE
        elif sign == "==":
            name = errno.errorcode.get(-int(got, 0))
            yield f"``{what}`` is {f'-{name}' if name else got}, not ``{want}``", habit(sign, what, got)
        else:
            yield f"``{want} {sign} {what}`` is not so", None


def judge(word, said):
    """What was seen, in a few words, and the row if it is nothing but habits."""
    seen = list(failures(said))
    others = [text for text, row in seen if not row]
    if word == "fails" and seen and not others:
        return seen[0]
    if word == "complains" and BLOCKED in said:
        return "a task is blocked", None
    found = COMPLAINT.search(said)
    if found and word != "fails":
        function = FUNCTION.search(said, found.start())
        return found[1] + (f" in {function[1]}()" if function else ""), None
    return others[0] if others else "", None


def document(tests, kernels, rows):
    """tests: the rows of each, by its name. kernels: how each test ended and what was
    said, by kernel and name. rows: the text of the document that has them."""
    rows = {row: re.sub(r"\s+", " ", text).strip() for row, text in ROW.findall(rows)}
    lines = []
    different, masked = set(), set()
    for test, covers in tests.items():
        ended = collections.defaultdict(list)
        for kernel, results in kernels.items():
            ended[results[test][0]].append(kernel)
        ended.pop("passes", None)
        for word, where in ended.items():
            different.add(test)
            detail, row = judge(word, kernels[where[0]][test][1])
            if row:
                masked.add(test)
            row = row or BECAUSE.get(test, covers[0])
            program, name = test.split()
            cells = (f"{program}: {name.replace('_', ' ')}",
                     "both" if len(where) == len(kernels) else where[0],
                     WORDS[word] + (f": {detail}" if detail else ""), f"{row}: {rows[row]}")
            lines.append("   * - " + "\n     - ".join(cells) + "\n")
    return HEAD.format(total=len(tests), same=len(tests) - len(different), different=len(different),
                       masked=len(masked)) + "".join(lines)
