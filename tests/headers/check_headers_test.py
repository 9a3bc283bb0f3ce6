"""Checks the order in which check_headers.py includes headers."""

import pathlib
import tempfile
import unittest

import check_headers

INCLUDES = {"core/a.hpp": [], "core/b.hpp": ["core/a.hpp"], "ops/c.hpp": ["core/b.hpp"], "ops/d.hpp": ["core/a.hpp", "core/b.hpp"], "ops/e.hpp": [], "graft.hpp": ["ops/c.hpp", "ops/d.hpp", "ops/e.hpp"]}


class Chains(unittest.TestCase):
    def test_every_header_follows_what_it_includes(self):
        with tempfile.TemporaryDirectory() as name:
            base = pathlib.Path(name)
            for header, included in INCLUDES.items():
                (base / header).parent.mkdir(exist_ok=True)
                (base / header).write_text("#pragma once\n" + "".join(f"#include <graft/{one}>\n" for one in included))
            (base / "ops/e.hpp").write_text("#pragma once\n#ifndef GRAFT_COMPILED\n#include <graft/ops/d.hpp>\n#endif\n")  # not in the mode that is compiled
            chains = list(check_headers.chains(base, sorted(INCLUDES)))
        self.assertEqual(sorted(sum(chains, [])), sorted(INCLUDES))
        self.assertEqual(len(chains), 3)  # c, d and e do not include each other
        below = {header: set(included) | {two for one in included for two in INCLUDES[one]} | {"core/a.hpp"} for header, included in INCLUDES.items() if included}
        for chain in chains:
            for first, second in zip(chain, chain[1:]):
                self.assertIn(first, below[second])


if __name__ == "__main__":
    unittest.main()
