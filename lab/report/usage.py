# SPDX-License-Identifier: GPL-2.0
"""How the programs in Python take their words; help_or_die() of lib/common.sh is the
same for the shell's."""

import sys


def words(document, least=0, most=0, options=()):
    """The words after the name of the program, least to most of them besides options.
    Help is the program's own document."""
    given = sys.argv[1:]
    if given in (["-h"], ["--help"]):
        print(document.strip())
        sys.exit(0)
    for word in given:
        if word.startswith("-") and word not in options:
            sys.exit(f"lab: what is '{word}'? See {sys.argv[0]} --help")
    number = len([word for word in given if word not in options])
    if not least <= number <= most:
        sys.exit(f"lab: {number} words are too {'few' if number < least else 'many'}, see {sys.argv[0]} --help")
    return given
