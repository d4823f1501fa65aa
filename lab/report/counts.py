# SPDX-License-Identifier: GPL-2.0
"""What lab/host/count.c wrote: which function executed how many instructions."""

import bisect
import collections


class Symbols:
    """Functions of a kernel by address, from copies of /proc/kallsyms."""

    def __init__(self, *paths):
        found = {}
        for path in paths:
            with open(path, encoding="ascii") as lines:
                for line in lines:
                    address, kind, name, *module = line.split()
                    if kind in "tTwW":
                        owner = module[0][1:-1] if module else "vmlinux"
                        found[int(address, 16)] = (name, owner)
        self.addresses = sorted(found)
        self.names = [found[address] for address in self.addresses]

    def at(self, address):
        """Name and module of the function, and whether it begins there."""
        i = bisect.bisect_right(self.addresses, address) - 1
        return (*self.names[i], self.addresses[i] == address)


class Window:
    """What was executed between two marks."""

    def __init__(self):
        self.user = self.kernel = self.locked = 0
        self.blocks = []

    def add(self, fields):
        """One line of the file."""
        if fields[0] == "user":
            self.user = int(fields[1])
            self.locked += int(fields[2])
            return
        address, count, insns, locked = int(fields[0], 16), *map(int, fields[1:])
        self.kernel += count * insns
        self.locked += count * locked
        self.blocks.append((address, count, insns))

    def functions(self, symbols):
        """Instructions and calls of each (name, module) of the kernel."""
        insns, calls = collections.Counter(), collections.Counter()
        for address, count, size in self.blocks:
            name, module, begins = symbols.at(address)
            insns[name, module] += count * size
            if begins:
                calls[name, module] += count
        return insns, calls


def windows(path):
    """The windows of a file, in the order in which they ended."""
    window = None
    with open(path, encoding="ascii") as lines:
        for line in lines:
            fields = line.split()
            if fields[0] != "window":
                window.add(fields)
                continue
            if window:
                yield window
            window = Window()
    if window:
        yield window
