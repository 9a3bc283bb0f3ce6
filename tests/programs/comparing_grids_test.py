"""compare with settings, seeds, test sets and processes of one's own: grids, statistics, CSV, merging, and going on after a signal."""

import csv
import json
import re
import signal
import statistics
import subprocess
import time

import programs
from programs import ProgramTest, run

SMALL = {"--rows": "8", "--batch": "4", "--validation-rows": "2", "--test-sources": "2", "--epochs": "1", "--max-new": "4"}
METRICS = ("bleu", "rouge_l", "accuracy")


class Grids(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.test_file = cls.write("tested.tsv", "".join(f"name : T{i} | type : pub\tT{i} is a pub.\n" for i in range(5)))
        cls.other_file = cls.write("others.tsv", "".join(f"name : O{i} | type : inn\tO{i} is an inn.\n" for i in range(3)))

    def arguments(self, out, *more):
        standard = {"--model": self.model, "--data": self.data, "--out": self.folder / out, **SMALL}
        return (*(word for option in standard if option not in more for word in (option, standard[option])), *more)

    def compare(self, out, *more, status=0):
        text, err = run("compare", *self.arguments(out, *more), status=status)
        return json.loads((self.folder / out / "report.json").read_text(encoding="utf-8")), text, err

    def refuses(self, *more, says, status=1):
        out, err = run("compare", *self.arguments("refused", *more), status=status)
        for text in (says,) if isinstance(says, str) else says:
            self.assertIn(text, err)
        self.assertNotIn("[1/", err)  # before work begins
        self.assertEqual(out, "")

    def test_rows_and_seeds(self):
        table = self.folder / "rows.csv"
        rows = ("--row", "prefix:length=1,3", "--row", "lora:rank=2..4..2:alpha=4,8", "--seeds", "0,1,5", "--test", f"first={self.test_file}", "--test", f"second={self.other_file}")
        report, text, err = self.compare("grid", *rows, "--csv", table, "--jobs", "2", "--against", "LoRA rank=2 alpha=4")
        self.assertEqual([row["row"] for row in report["rows"]], ["none", "prefix length=1", "prefix length=3", "LoRA rank=2 alpha=4", "LoRA rank=2 alpha=8", "LoRA rank=4 alpha=4", "LoRA rank=4 alpha=8"])
        self.assertEqual(report["rows"][6]["settings"], {"rank": "4", "alpha": "8"})
        self.assertEqual(report["budget"]["seeds"], [0, 1, 5])
        self.assertEqual([(one["name"], one["examples"]) for one in report["data"]["tests"]], [("first", 2), ("second", 2)])
        self.assertIn("[19/19]", err)
        self.check_statistics(report)
        self.check_differences(report)
        self.check_csv(report, table)
        self.assertRegex(text, r"±0\.\d\d\d")
        self.assertIn("standard deviation over 3 seeds", text)
        page = (self.folder / "grid/report.html").read_text(encoding="utf-8")
        for shown in ("Effect of length", "Effect of rank", "Effect of alpha", "Differences from LoRA rank=2 alpha=4", "95 % confidence", 'class="bar '):
            self.assertIn(shown, page)
        for name in ("http", "<script", "nan"):
            self.assertNotIn(name, page.split("<h2>Samples")[0].replace("unknown", ""))
        self.check_jobs(report, rows)

    def check_statistics(self, report):
        """Means, deviations and counts are those of the runs."""
        for row in report["rows"]:
            runs = row["runs"]
            self.assertEqual([one["seed"] for one in runs], [0] if row["method"] == "none" else [0, 1, 5])
            if row["method"] != "none":
                self.assertEqual(len({one["validation_loss"] for one in runs}), 3)  # a seed decides something
            for key in ("validation_loss", "training_loss", "peak_memory_mib"):
                values = [one[key] for one in runs if one[key] is not None]
                if values:
                    self.assertAlmostEqual(row[key], statistics.mean(values))
                if len(values) > 1:
                    self.assertAlmostEqual(row["deviation"][key], statistics.stdev(values))
            for name in ("first", "second"):
                references = [one["references"] for one in report["test_examples"] if one["test"] == name]
                score = row["scores"][name]["accuracy"]
                values = [100 * statistics.mean(output in lists for output, lists in zip(one["outputs"][name], references)) for one in runs]
                self.assertAlmostEqual(score["mean"], statistics.mean(values))
                for metric in METRICS:
                    one = row["scores"][name][metric]
                    self.assertEqual(one["count"], len(runs))
                    self.assertLessEqual(one["low"], one["mean"] + 1e-9)
                    self.assertLessEqual(one["mean"], one["high"] + 1e-9)

    def check_differences(self, report):
        base = report["rows"][3]
        for row in report["rows"]:
            for metric in METRICS:
                one = row["scores"]["first"][metric]
                if row is base:
                    self.assertNotIn("difference", one)
                    continue
                self.assertAlmostEqual(one["difference"]["mean"], one["mean"] - base["scores"]["first"][metric]["mean"])
                self.assertLessEqual(one["difference"]["low"], one["difference"]["high"])

    def check_csv(self, report, table):
        with open(table, newline="", encoding="utf-8") as file:
            lines = list(csv.DictReader(file))
        self.assertEqual(len(lines), (1 + 6 * 3) * 2)
        line = lines[-1]
        row = report["rows"][-1]
        self.assertEqual((line["row"], line["strategy"], line["settings"], line["seed"], line["test"], line["test_examples"]), ("LoRA rank=4 alpha=8", "lora", "rank=4:alpha=8", "5", "second", "2"))
        self.assertEqual(float(line["validation_loss"]), row["runs"][-1]["validation_loss"])
        self.assertEqual(int(line["trained_parameters"]), row["trainable"])
        for metric in METRICS:
            score = row["scores"]["second"][metric]
            self.assertEqual([float(line[f"{metric}_{part}"]) for part in ("mean", "deviation", "low", "high")], [score[part] for part in ("mean", "deviation", "low", "high")])
            self.assertAlmostEqual(statistics.mean(float(one[metric]) for one in lines[-6:] if one["test"] == "second"), score["mean"])

    def check_jobs(self, report, rows):
        """One process after the other gives the same bits, and the intervals are the same every time."""
        single, _, err = self.compare("single", *rows, "--jobs", "1", "--against", "LoRA rank=2 alpha=4")
        self.assertNotIn("taken over", err)
        for one, other in zip(report["rows"], single["rows"]):
            self.assertEqual(one["scores"], other["scores"])
            for first, second in zip(one["runs"], other["runs"]):
                for key in ("seed", "outputs", "training_curve", "validation_curve", "validation_loss"):
                    self.assertEqual(first[key], second[key])

    def test_the_split_has_a_seed_of_its_own(self):
        sources = lambda report: [one["source"] for one in report["test_examples"]]
        first, _, _ = self.compare("split", "--row", "lora")
        second, _, err = self.compare("split", "--row", "lora", "--seed", "3")
        self.assertEqual(sources(first), sources(second))
        self.assertNotEqual(first["rows"][1]["validation_loss"], second["rows"][1]["validation_loss"])
        self.assertEqual((first["rows"][0], err.count("taken over")), (second["rows"][0], 1))  # no training, no seed
        third, _, err = self.compare("split", "--row", "lora", "--split-seed", "3")
        self.assertNotEqual(sources(first), sources(third))
        self.assertEqual(err.count("taken over"), 0)
        fourth, _, _ = self.compare("split", "--row", "lora")
        self.assertEqual(sources(fourth), sources(first))
        self.assertEqual(fourth["rows"][1]["validation_loss"], first["rows"][1]["validation_loss"])

    def test_files_of_ones_own(self):
        data = self.write("mixed.tsv", self.test_file.read_text() + self.other_file.read_text() + "".join(f"name : D{i}\tD{i}.\n" for i in range(9)))
        report, _, err = self.compare("files", "--data", data, "--test", self.test_file, "--validation", self.other_file, "--rows", "0", "--validation-rows", "0", "--test-sources", "0", "--row", "lora")
        self.assertEqual([report["data"][key] for key in ("training", "validation", "test")], [9, 3, 5])
        self.assertIn("8 rows of", err)
        self.assertIn("they are not trained on", err)

    def test_learning_rates_of_rows(self):
        report, _, _ = self.compare("rates", "--methods", "prefix", "--row", "lora:rank=2,4", "--row", "adapter:learning_rate=0.1,0.2", "--learning-rate", "0.5,lora=0.3,lora:rank=4=0.7")
        self.assertEqual([(row["row"], row["learning_rate"]) for row in report["rows"][1:]],
                         [("prefix", 0.5), ("LoRA rank=2", 0.3), ("LoRA rank=4", 0.7), ("adapter learning_rate=0.1", 0.1), ("adapter learning_rate=0.2", 0.2)])
        self.assertIn("Effect of learning_rate", (self.folder / "rates/report.html").read_text(encoding="utf-8"))

    def test_tuning_with_seeds(self):
        report, _, _ = self.compare("tuned", "--row", "lora:rank=2", "--seeds", "0,1", "--tune")
        row = report["rows"][1]
        self.assertEqual((len(row["tuning"]), len(row["runs"])), (3, 2))
        self.assertEqual({one["learning_rate"] for one in row["runs"]}, {min(row["tuning"], key=lambda pair: pair[1])[0]})

    def test_merging(self):
        common = ("--row", "lora:rank=2,4")
        first, _, _ = self.compare("part1", *common, "--seed", "0")
        second, _, _ = self.compare("part2", *common, "--seed", "1")
        both, _, _ = self.compare("both", *common, "--seeds", "0,1")
        longer, _, _ = self.compare("longer", *common, "--epochs", "2")
        merged = self.folder / "merged"
        text, _ = run("compare", "--merge", self.folder / "part1", self.folder / "part2", "--out", merged)
        report = json.loads((merged / "report.json").read_text(encoding="utf-8"))
        self.assertEqual([row["row"] for row in report["rows"]], [row["row"] for row in both["rows"]])
        for one, other in zip(report["rows"], both["rows"]):
            self.assertEqual((one["scores"], one["validation_loss"], one["outputs"]), (other["scores"], other["validation_loss"], other["outputs"]))
            self.assertEqual([run["seed"] for run in one["runs"]], [run["seed"] for run in other["runs"]])
        self.assertIn("±", text)
        run("compare", "--merge", merged, self.folder / "longer", "--out", self.folder / "all", "--csv", self.folder / "all.csv")
        report = json.loads((self.folder / "all/report.json").read_text(encoding="utf-8"))
        self.assertEqual([row["row"] for row in report["rows"]], [f"{name} [epochs={n}]" for n in (1, 2) for name in ("none", "LoRA rank=2", "LoRA rank=4")])
        self.assertIn("2 comparisons", (self.folder / "all/report.html").read_text(encoding="utf-8"))
        self.compare("elsewhere", *common, "--split-seed", "4")
        _, err = run("compare", "--merge", self.folder / "part1", self.folder / "elsewhere", "--out", self.folder / "x", status=1)
        self.assertIn("has other examples in its test set test", err)
        _, err = run("compare", "--merge", self.folder / "part1", "--out", self.folder / "x", "--steps", "2", status=2)
        self.assertIn("--steps has no effect with --merge", err)
        _, err = run("compare", "--merge", self.folder / "part1", "--out", self.folder / "part1", status=2)
        self.assertIn("--out would take the place of --merge", err)
        self.assertFalse((self.folder / "x").exists())

    def test_going_on_after_a_signal(self):
        more = ("--row", "lora:rank=1..12", "--epochs", "2", "--jobs", "2")
        process = subprocess.Popen([programs.PATHS["compare"], *map(str, self.arguments("stopped", *more))], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        rows = self.folder / "stopped" / "rows"
        end = time.monotonic() + 120
        while len([path for path in rows.glob("*.json") if "request" not in path.name] if rows.exists() else []) < 3 and time.monotonic() < end:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, err)
        kept = int(re.search(r"ended by signal 2; (\d+) of 13 runs are finished and kept", err)[1])
        self.assertGreaterEqual(kept, 3)
        self.assertFalse((self.folder / "stopped/report.json").exists())
        self.assertEqual(list(rows.glob("*.request.json")), [])
        report, _, err = self.compare("stopped", *more)
        self.assertGreaterEqual(err.count("taken over"), kept)
        self.assertEqual([row["error"] for row in report["rows"]], [""] * 13)

    def test_processes_within_memory(self):
        _, _, err = self.compare("memory", "--row", "lora:rank=1,2", "--jobs", "3", "--memory", "1")
        self.assertIn("fewer than 3 processes at once", err)

    def test_few_shot_has_a_setting(self):
        report, _, _ = self.compare("shots", "--row", "few_shot:shots=1,3", "--row", "lora:rank=1")
        self.assertEqual([row["row"] for row in report["rows"]], ["none", "few-shot shots=1", "few-shot shots=3", "LoRA rank=1"])
        self.assertNotEqual(report["rows"][1]["validation_loss"], report["rows"][2]["validation_loss"])

    def test_settings_of_every_kind(self):
        """Nested ones, lists, enumerations, switches, words to start from, and a part of a composition."""
        rows = ("prefix_mlp:reparametrization.hidden=8,16", "lora:targets=q_proj+k_proj:rank_stabilized=true", "prompt:length=2:init_text=name is", "prefix_lora:lora.rank=2")
        report, _, _ = self.compare("kinds", *(word for row in rows for word in ("--row", row)))
        self.assertEqual([(row["row"], row["error"]) for row in report["rows"][1:]],
                         [(name, "") for name in ("prefix + MLP reparametrization.hidden=8", "prefix + MLP reparametrization.hidden=16", "LoRA targets=q_proj+k_proj rank_stabilized=true",
                                                  "prompt length=2 init_text=name is", "prefix + LoRA lora.rank=2")])
        trained = [row["trainable"] for row in report["rows"]]
        self.assertLess(trained[1], trained[2])
        self.assertEqual(trained[3], 2 * 8 * (32 + 32) + 2 * 8 * (32 + 16))  # two layers, rank 8, queries and keys
        self.assertEqual(report["rows"][4]["settings"], {"length": "2", "init_text": "name is"})

    def test_what_cannot_be_meant(self):
        for row, says in (("sorcery:rank=1", "sorcery"), ("lora:", "NAME=VALUE"), ("lora:rank", "NAME=VALUE"), (":rank=2", "[strategy]"), ("lora:rank=4,", "empty value"), ("lora:rank=8..4", "the range"),
                          ("lora:rank=1..4..0", "the range"), ("lora:rank=1..1000000", "expected at most"), ("lora:sorcery=1", ("lora", "sorcery")), ("lora:rank=2:rank=3", "twice"), ("lora:rank=2,2", "each row once"),
                          ("none:rank=2", "none"), ("few_shot:shots=0", "shots"), ("lora:learning_rate=-1", "positive"), ("none:learning_rate=1", "not trained"), ("prompt:length=4,900", "too long for the model"),
                          ("lora:rank=4,x", "rank"), ("lora:rank=0", "rank")):
            with self.subTest(row):
                self.refuses("--row", row, says=says, status=1 if says == "too long for the model" else 2)
        for options, says in ((("--row", "lora", "--seeds", "0,0"), "twice"), (("--row", "lora", "--seeds", "4..1"), "the range"), (("--row", "lora", "--csv", self.folder / "refused" / "rows"), "take the place of --out"),
                              (("--row", "lora", "--csv", self.folder / "refused" / "rows" / "none.json"), "finished rows"), (("--row", "lora", "--seeds", "18446744073709551616"), "whole numbers"), (("--row", "lora", "--seeds", "0", "--seed", "1"), "beside --seeds"), (("--row", "lora", "--seeds", "x"), "whole numbers"),
                              (("--row", "lora", "--test", "a=x.tsv", "--test", "a=y.tsv"), "a name that another has"), (("--row", "lora", "--test", "x.tsv", "--test", "y.tsv"), "second file without a name"),
                              (("--row", "lora", "--against", "magic"), "expected a row's name"), (("--row", "lora", "--learning-rate", "lora:rank=4=1"), "expected one of the trained rows"),
                              (("--row", "lora", "--jobs", "0"), "--jobs"), (("--row", "lora", "--test-sources", "0"), "stands for all of a file"), (("--methods", "none", "--seeds", "1,2"), "without a trained row")):
            with self.subTest(options):
                self.refuses(*options, says=says, status=2)
        self.refuses("--methods", "lora", "--row", "lora", says="each row once", status=2)
        self.refuses("--row", "lora", "--validation", self.folder / "missing.tsv", says="missing.tsv")
        self.refuses("--row", "lora", "--csv", self.data, says="--csv would take the place of --data", status=2)


if __name__ == "__main__":
    programs.main()
