"""Outputs in places that belong to something else: a model's folder, a folder that another process writes, another program's log, graft's own names."""

import json
import shutil

import faults
import tiny_model
from written_files import FileTest, files_of


class Models(FileTest):
    """An adapter is never written into a folder that holds a model: the model would be used with the adapter's template from then on."""

    def test_every_program_and_mode(self):
        adapter, prompt, bert, bart = (self.folder / name for name in ("adapter", "prompt", "bert", "bart"))
        self.train(adapter, steps=1)
        self.train(prompt, steps=1, method="prompt")
        faults.run("convert", "--adapter", prompt, "--output", self.folder / "prompt.npy")
        tiny_model.write_bert(bert, ["good", "bad"])
        tiny_model.write_bart(bart)
        classes, pairs = self.folder / "classes.tsv", self.folder / "pairs.tsv"
        classes.write_text("good\t1\nbad\t0\n" * 4)
        pairs.write_text("ab\tba\n" * 4)
        own, other, weights = self.folder / "own", self.folder / "other", self.folder / "weights"
        for folder in (own, other):
            shutil.copytree(self.model, folder)
        weights.mkdir()
        shutil.copy(self.model / "model.safetensors", weights / "model-00001-of-00001.safetensors")
        before = files_of(self.folder)
        uses = (("finetune", "--model", own, "--train", self.data, "--method", "lora", "--steps", 1), ("convert", "--adapter", adapter, "--model", own), ("convert", "--combine", f"{adapter}:1", "--model", own),
                ("convert", "--adapter", self.folder / "prompt.npy", "--model", own), ("convert", "--adapter", adapter, "--model", own, "--format", "graft"),
                ("seq2seq", "--model", bart, "--train", pairs, "--method", "lora", "--steps", 1), ("classify", "--model", bert, "--train", classes, "--method", "lora", "--steps", 1))
        for name, *arguments in uses:
            with self.subTest(name, arguments=arguments):
                self.refused(name, *arguments, "--output", arguments[arguments.index("--model") + 1], says="model", status=2)
                for folder, held in ((other, "config.json"), (weights, "model-00001-of-00001.safetensors")):
                    line = self.one_sentence(self.refused(name, *arguments, "--output", folder, says=f"[{folder}] holds a model ("), name)
                    if folder == weights:
                        self.assertIn(f"({held})", line)
        self.assertEqual(files_of(self.folder), before)
        faults.run("convert", "--adapter", adapter, "--model", own, "--merge", "--output", other)  # a model may take a model's place
        faults.run("convert", "--adapter", adapter, "--model", own, "--output", adapter)


class Held(FileTest):
    """What lies in a folder that another process writes, and the folder around it."""

    def test_folders_of_a_running_training(self):
        run = self.folder / "run"
        output, checkpoint, log = run / "out", run / "ck", self.folder / "log"
        self.train(output, steps=1)
        self.train(self.folder / "prompt", steps=1, method="prompt")
        process = self.start("finetune", "--model", self.model, "--train", self.data, "--method", "lora", "--steps", 1000000, "--output", output, "--checkpoint", checkpoint, "--checkpoint-every", 2, "--log", log)
        self.wait_for(lambda: log.exists() and log.read_text().count("\n") > 8)
        before = files_of(output)
        train = ("finetune", "--model", self.model, "--train", self.data, "--method", "lora", "--steps", 1)
        generate = ("generate", "--model", self.model, "--prompt", "a", "--max-new", 2)
        for says, name, *arguments in ((output, *generate, "--output", output / "adapter_config.json"), (output, *generate, "--output", output / "new.txt"),
                                       (output, "convert", "--adapter", self.folder / "prompt", "--output", output / "x.npy"), (output, *train, "--output", output / "inner"),
                                       (checkpoint, *train, "--output", checkpoint / "step-00000002"), (checkpoint, *train, "--output", self.folder / "o2", "--log", checkpoint / "log"),
                                       (checkpoint, *train, "--output", self.folder / "o3", "--checkpoint", checkpoint / "deep" / "ck"), (run, *train, "--output", run),
                                       (run, "convert", "--adapter", self.folder / "prompt", "--model", self.model, "--output", run)):
            with self.subTest(arguments=arguments):
                line = self.one_sentence(self.refused(name, *arguments, says=f"another process ({process.pid}) is writing"), name)
                self.assertIn(f"holds {'out' if 'out,' in line else 'ck'}, which" if says == run else f"lies in the folder {says.resolve()}, which", line)
        self.assertEqual(files_of(output), before)
        process.kill()
        process.communicate()
        faults.run(*generate, "--output", output / "new.txt")  # nothing is held any more
        self.assertTrue((output / "new.txt").exists())

    def test_ones_own_folders_may_lie_in_each_other(self):
        run = self.folder / "run"
        run.mkdir()
        self.train(run, "--log", run / "log", "--checkpoint", self.folder / "ck")
        self.assertEqual(self.last_event(run / "log")["event"], "end")
        self.no_temporaries(self.folder)


class Names(FileTest):
    """Names that mean something else."""

    def test_refused(self):
        self.train(self.folder / "prompt", steps=1, method="prompt")
        train = ("finetune", "--model", self.model, "--train", self.data, "--method", "lora", "--steps", 1)
        outputs = (("--output", "generate", "--model", self.model, "--prompt", "a"), ("--output", *train), ("--log", *train, "--output", self.folder / "o"), ("--checkpoint", *train, "--output", self.folder / "o"),
                   ("--output", "convert", "--adapter", self.folder / "prompt", "--model", self.model), ("--out", "compare", "--model", self.model, "--data", self.data))
        for option, name, *arguments in outputs:
            for bad, says in (("-", "/dev/stdout"), (self.folder / ".graft-lock-log", "graft's own"), (self.folder / ".graft-tmp-1-0", "graft's own"), (self.folder / ".graft-swap-1" / "x", "graft's own")):
                with self.subTest(name, option=option, bad=bad):
                    self.refused(name, *arguments, option, bad, says=(f"{option} got ", says), status=2)
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["prompt"])

    def test_checkpoints_and_adapter_in_each_other(self):
        train = ("finetune", "--model", self.model, "--train", self.data, "--method", "lora", "--steps", 1)
        (self.folder / "real").mkdir()
        (self.folder / "link").symlink_to("real")
        for output, checkpoint in (("a", "a/ck"), ("a/deep/adapter", "a"), ("real", "link/ck"), ("real/", "real/ck/"), ("link", "real/ck"), ("a/", "a/b/../ck/")):
            with self.subTest(output=output):
                self.refused(*train, "--output", f"{self.folder}/{output}", "--checkpoint", f"{self.folder}/{checkpoint}", says="lies in the folder of --", status=2)
        self.assertFalse((self.folder / "a").exists())
        faults.run(*train, "--output", self.folder / "ab", "--checkpoint", self.folder / "a")  # beside each other


class Logs(FileTest):
    """Only a training's own log is replaced."""

    def test_another_programs_events(self):
        log = self.folder / "log"
        for text in ('{"event": "click", "x": 1}\n', '{"event":"step","user":7}\n', '{"event":"end","step":1,"server":"a"}\n', '{"event":["step"],"step":1}\n', '{"event":"click"', '{"event":', "{}\n", "\n"):
            with self.subTest(text):
                log.write_text(text)
                keeps = text == '{"event":'  # what a full disk has left of a log's first line
                _, err = self.train(self.folder / "adapter", "--log", log, status=0 if keeps else 1, steps=1)
                if not keeps:
                    self.assertIn("holds something else than the log of a training", self.one_sentence(err, "finetune"))
                    self.assertEqual(log.read_text(), text)

    def test_every_log_of_ones_own(self):
        log = self.folder / "log"
        self.train(self.folder / "adapter", "--log", log, "--validation", self.data, "--validate-every", 1, steps=2)
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        self.assertEqual([line["event"] for line in lines], ["step", "validation", "step", "validation", "end"])
        for line in (lines[0], lines[1], lines[-1], {"event": "failed", "step": 3, "message": "a sentence"}, {"event": "interrupted", "step": 1, "message": "by 15"}, {"event": "stopped", "step": 2}):
            with self.subTest(line=line):
                log.write_text(json.dumps(line) + "\n")
                self.train(self.folder / "adapter", "--log", log, steps=1)
                self.assertEqual(self.last_event(log), {"event": "end", "step": 1})


if __name__ == "__main__":
    faults.main()
