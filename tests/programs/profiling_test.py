"""--profile says where the time went, on standard error, and changes nothing else."""

import re

import programs
from programs import ProgramTest, run


class Profiling(ProgramTest):
    def table(self, err):
        """The rows of the table: kernel, calls, seconds, share, the rest; checked against each other."""
        head = re.search(r"^kernels took ([0-9.]+) s; this machine's limits, measured now: ([0-9]+) GFLOP/s of products, ([0-9.]+) GB/s of memory \(2 threads\)\nkernel .*\n", err, re.M)
        self.assertIsNotNone(head, err)
        self.assertGreater(float(head[3]), 0)
        rows = re.findall(r"^(\S.*?)\s{2,}([0-9]+)\s+([0-9.]+)\s+([0-9.]+) %\s+(\S+)\s+(\S+)\s+(-|[0-9]+ %)$", err[head.end():], re.M)
        self.assertEqual(len(rows), err[head.end():].count("\n"), err)
        self.assertAlmostEqual(sum(float(row[3]) for row in rows), 100, delta=0.1 * len(rows))
        self.assertAlmostEqual(sum(float(row[2]) for row in rows), float(head[1]), delta=0.001 * len(rows))
        seconds = [float(row[2]) for row in rows]
        self.assertEqual(seconds, sorted(seconds, reverse=True))
        return {row[0]: int(row[1]) for row in rows}

    def test_a_generation_is_the_same_and_says_what_kernels_took(self):
        arguments = ("--model", self.model, "--prompt", "name : N1", "--max-new", "4")
        plain, quiet = run("generate", *arguments)
        out, err = run("generate", *arguments, "--profile")
        self.assertEqual(out, plain)
        self.assertNotIn("kernels took", quiet)
        kernels = self.table(err)
        for name in ("packed product", "attention", "norm", "rotary positions"):
            self.assertGreater(kernels[name], 0)
        self.assertNotIn("packed product, reverse", kernels)

    def test_a_training_says_what_its_reverse_pass_took(self):
        err = run("finetune", "--model", self.model, "--data", self.data, "--output", self.folder / "adapter", "--method", "lora", "--steps", "2", "--profile")[1]
        kernels = self.table(err)
        for name in ("packed product, reverse", "attention, reverse", "softmax of logits", "adamw"):
            self.assertGreater(kernels[name], 0)

    def test_nothing_is_said_where_nothing_ran(self):
        err = run("generate", "--model", self.folder / "nothing", "--prompt", "a", "--profile", status=1)[1]
        self.assertNotIn("kernels took", err)

    def test_a_program_that_fails_later_says_it_too(self):
        err = run("finetune", "--model", self.model, "--data", self.data, "--output", self.folder / "diverged", "--method", "lora", "--steps", "9", "--learning-rate", "1e30", "--profile", status=1)[1]
        self.assertIn("packed product", self.table(err))

    def test_a_gpu_is_refused(self):
        err = run("generate", "--model", self.model, "--prompt", "a", "--device", "cuda", "--profile", status=2)[1]
        self.assertIn("--profile is for the processor", err)


if __name__ == "__main__":
    programs.main()
