#!/usr/bin/env python3
"""The program that ships has nothing of a planted fault in it: no name, no symbol.

    python3 tests/house/planted.py HEADER PROGRAM...            exit 0: nothing is in them
    python3 tests/house/planted.py --present HEADER PROGRAM...  exit 0: every name is in each

The second form shows that the first would find them.
"""

import re
import sys
from pathlib import Path


def main(arguments):
    present = arguments[:1] == ["--present"]
    header, *programs = arguments[1:] if present else arguments
    text = Path(header).read_text()
    names = [name for name in re.findall(r'^    "([a-z-]+)",$', text, re.MULTILINE) if name != "none"]
    if len(names) < 12 or not programs:
        print(f"{header}: {len(names)} names, {len(programs)} programs: nothing to go by")
        return 1
    wrong = 0
    for program in programs:
        content = Path(program).read_bytes()
        for word in names + ([] if present else ["kPlantedNames", "planted_detail", "7Planted"]):
            if (word.encode() in content) != present:
                print(f"{program}: '{word}' is {'missing' if present else 'in it'}")
                wrong += 1
    print(f"{len(names)} planted faults, {len(programs)} programs, {wrong} findings")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
