"""Checkpoints: resumed trainings, folders that cannot hold them, one writer at a time, signals."""

import json
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import time

import faults
import programs
import tiny_model
from written_files import FileTest, files_of


class Resume(FileTest):
    """What a resumed training may differ in."""

    def begin(self, *more, method="lora"):
        self.checkpoint = self.folder / "ck"
        self.train(self.folder / "first", "--checkpoint", self.checkpoint, "--checkpoint-every", 2, *more, method=method)
        self.before = files_of(self.checkpoint)

    def differs(self, says, *more, model=None, method="lora"):
        err = self.train(self.folder / "second", "--checkpoint", self.checkpoint, "--checkpoint-every", 2, "--resume", *more, model=model, method=method, status=1)[1]
        self.assertIn(says, self.one_sentence(err, "finetune"))
        self.assertFalse((self.folder / "second").exists())
        self.assertEqual(files_of(self.checkpoint), self.before)

    def test_settings_of_lora(self):
        self.begin("--dropout", 0.1)
        self.differs("dropout 0.1; expected 0.5", "--dropout", 0.5)
        self.differs("dropout 0.1; expected 0.0")
        self.differs("alpha 16.0; expected 32.0", "--dropout", 0.1, "--alpha", 32)
        self.differs("seed 0; expected 1", "--dropout", 0.1, "--seed", 1)
        self.differs("settings.targets", "--dropout", 0.1, "--targets", "q_proj,v_proj")
        self.train(self.folder / "second", "--checkpoint", self.checkpoint, "--checkpoint-every", 1, "--resume", "--dropout", 0.1)
        self.assertEqual(files_of(self.folder / "first"), files_of(self.folder / "second"))

    def test_settings_of_others(self):
        self.begin("--init", "normal", method="prefix")
        self.differs("init \"normal\"; expected \"uniform\"", "--init", "uniform", method="prefix")
        self.differs("init_deviation 0.02; expected 0.5", "--init-deviation", 0.5, method="prefix")
        self.differs("dropout 0.0; expected 0.25", "--dropout", 0.25, method="prefix")

    def test_placement(self):
        self.begin("--placement", "pfeiffer", "--bottleneck", 8, method="adapter")
        self.differs("of another model; got parameter", "--placement", "pfeiffer", "--bottleneck", 4, method="adapter")

    def test_another_base(self):
        self.begin()
        other = self.folder / "other"
        shutil.copytree(self.model, other)
        tensors = (other / "model.safetensors").read_bytes()
        size = 8 + struct.unpack("<Q", tensors[:8])[0]
        header = json.loads(tensors[8:size])
        first, last = header["model.layers.0.mlp.down_proj.weight"]["data_offsets"]
        values = struct.unpack(f"<{(last - first) // 4}f", tensors[size + first:size + last])
        negated = struct.pack(f"<{len(values)}f", *(-value for value in values))
        (other / "model.safetensors").write_bytes(tensors[:size + first] + negated + tensors[size + last:])
        self.differs("over another base model; got weights", model=other)
        one_bit = bytearray(tensors)
        one_bit[-4] ^= 1
        (other / "model.safetensors").write_bytes(bytes(one_bit))
        self.differs("over another base model; got weights", model=other)
        (other / "model.safetensors").write_bytes(tensors)  # the same weights in another place
        self.train(self.folder / "second", "--checkpoint", self.checkpoint, "--resume", model=other)

    def test_nothing_to_resume_is_said(self):
        err = self.train(self.folder / "first", "--checkpoint", self.folder / "new", "--resume")[1]
        self.assertIn("no checkpoint in", err)


class Locks(FileTest):
    """One writer at a time; a killed one holds nothing."""

    def test_second_writer(self):
        log, checkpoint, output = self.folder / "log", self.folder / "ck", self.folder / "adapter"
        process = self.start("finetune", "--model", self.model, "--train", self.data, "--method", "lora", "--steps", 1000000, "--output", output, "--checkpoint", checkpoint,
                             "--checkpoint-every", 1000000, "--log", log)
        self.wait_for(lambda: log.exists() and log.read_text().count("\n") > 2)
        other = self.folder / "other"
        self.train(self.folder / "done", steps=1)
        line = self.one_sentence(faults.run("convert", "--adapter", self.folder / "done", "--model", self.model, "--output", output, status=1)[1], "convert")
        self.assertIn("is being written by another", line)
        for arguments, says in (((output,), str(output)), ((other, "--checkpoint", checkpoint), str(checkpoint)), ((other, "--checkpoint", checkpoint, "--resume"), str(checkpoint)),
                                ((other, "--log", log), str(log))):
            line = self.one_sentence(self.train(*arguments, status=1)[1], "finetune")
            self.assertIn("is being written by another", line)
            self.assertIn(says, line)
        for path in (log, self.link_to(log)):
            line = self.one_sentence(faults.run("generate", "--model", self.model, "--sources", self.sources, "--max-new", 2, "--output", path, status=1)[1], "generate")
            self.assertIn("is being written by another", line)
        self.assertTrue(all(json.loads(line)["event"] for line in log.read_text().splitlines()[:-1]))
        process.kill()
        process.communicate()
        self.assertEqual(process.returncode, -signal.SIGKILL)
        self.train(output, "--checkpoint", checkpoint, "--log", log)
        self.no_temporaries(self.folder)

    def link_to(self, path):
        link = self.folder / (path.name + "-link")
        link.symlink_to(path.name)
        return link

    def test_second_writer_of_outputs(self):
        output, many = self.folder / "out.txt", self.folder / "many.txt"
        many.write_text("name : A\n" * 20000)
        process = self.start("generate", "--model", self.model, "--sources", many, "--max-new", 60, "--output", output)
        self.wait_for(lambda: (self.folder / ".graft-lock-out.txt").exists())
        for name, *arguments in (("generate", "--model", self.model, "--sources", self.sources, "--max-new", 2, "--output", output),
                                 ("finetune", "--model", self.model, "--train", self.data, "--method", "lora", "--steps", 1, "--output", self.folder / "adapter", "--log", output)):
            line = self.one_sentence(faults.run(name, *arguments, status=1)[1], name)
            self.assertIn("is being written by another process", line)
        self.assertFalse(output.exists())
        self.train(self.folder / "prompt", method="prompt", steps=1)
        process.kill()
        process.communicate()
        faults.run("generate", "--model", self.model, "--sources", self.sources, "--max-new", 2, "--output", output)
        self.assertFalse((self.folder / ".graft-lock-out.txt").exists())
        self.no_temporaries(self.folder)

    def test_one_folder_for_checkpoints_and_adapter(self):
        self.train(self.folder / "both", "--checkpoint", self.folder / "both")
        self.assertTrue((self.folder / "both/step-00000004/manifest.xxh64").exists())
        self.assertTrue((self.folder / "both/adapter_config.json").exists())
        self.no_temporaries(self.folder)

    def test_killed_writers_leave_nothing_for_long(self):
        dead = subprocess.run(["sh", "-c", "echo $$"], capture_output=True, text=True, check=True).stdout.strip()
        alive = subprocess.Popen(["sleep", "100"])
        self.addCleanup(alive.wait)
        self.addCleanup(alive.kill)
        (self.folder / f".graft-tmp-{dead}-0").write_text("half")
        (self.folder / f".graft-tmp-{dead}-1").mkdir()
        (self.folder / f".graft-tmp-{dead}-1/weights").write_text("half")
        (self.folder / ".graft-lock-gone").write_text(dead)
        kept = [self.folder / f".graft-tmp-{alive.pid}-0", self.folder / ".graft-tmp-notes", self.folder / f".graft-tmp-{dead}-0.txt"]
        for path in kept:
            path.write_text("not ours")
        faults.run("generate", "--model", self.model, "--sources", self.sources, "--max-new", 2, "--output", self.folder / "out.txt")
        self.train(self.folder / "adapter", steps=1)
        self.assertEqual(sorted(path.name for path in self.folder.glob(".graft-*")), sorted(path.name for path in kept))


class Checkpoints(FileTest):
    """--checkpoint that cannot hold checkpoints is refused before training."""

    def refuses(self, checkpoint, says, *more):
        log = self.folder / "log.jsonl"
        line = self.one_sentence(self.train(self.folder / "adapter", "--checkpoint", checkpoint, "--log", log, *more, status=1)[1], "finetune")
        self.assertIn(str(checkpoint), line)
        self.assertIn(says, line)
        self.assertFalse(log.exists() and log.read_text())
        self.assertFalse((self.folder / "adapter").exists())

    def test_refused(self):
        (self.folder / "file").write_text("mine")
        (self.folder / "loop").symlink_to("loop")
        for more in ((), ("--resume",)):
            self.refuses(self.folder / "file", "a file", *more)
            self.refuses(self.folder / "loop", "loop", *more)
            self.refuses(self.folder / "file/below", "cannot hold checkpoints", *more)
            self.refuses(self.folder / "loop/below", "cannot hold checkpoints", *more)
        self.assertEqual((self.folder / "file").read_text(), "mine")

    def test_read_only(self):
        mount = self.mounted("ro")
        self.refuses(mount, "Read-only")
        self.refuses(mount / "below", "Read-only")
        for arguments in (("--output", mount / "adapter"), ("--output", mount)):
            err = self.refused("finetune", "--model", self.model, "--train", self.data, "--method", "lora", "--steps", 1, *arguments, says="Read-only")
            self.one_sentence(err, "finetune")

    def test_inspect_a_loop(self):
        (self.folder / "loop").symlink_to("loop")
        self.one_sentence(self.refused("inspect", self.folder / "loop", says="symbolic links"), "inspect")
        (self.folder / "model").mkdir()
        for name in ("config.json", "adapter_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"):
            (self.folder / "model" / name).symlink_to(name)
        for program, *arguments in (("inspect", self.folder / "model"), ("generate", "--model", self.folder / "model", "--prompt", "a"),
                                    ("generate", "--model", self.model, "--adapter", self.folder / "model", "--prompt", "a"),
                                    ("convert", "--adapter", self.folder / "model", "--model", self.model, "--output", self.folder / "out"),
                                    ("seq2seq", "--model", self.folder / "model", "--test", self.data), ("classify", "--model", self.folder / "loop", "--train", self.data),
                                    ("compare", "--model", self.folder / "loop", "--out", self.folder / "rows")):
            err = faults.run(program, *arguments, status=1)[1]
            self.one_sentence(err, program)

    def test_names_of_a_damaged_manifest(self):
        checkpoint = self.folder / "ck"
        self.train(self.folder / "adapter", "--checkpoint", checkpoint, "--checkpoint-every", 4)
        manifest = checkpoint / "step-00000004/manifest.xxh64"
        for name in (b"\x1b[31mred\x07", b"\xff\xfe", b"a\x7fb", "\u009b2J".encode()):
            manifest.write_bytes(b"0123456789abcdef  " + name + b"\n")
            err = self.train(self.folder / "again", "--checkpoint", checkpoint, "--resume", status=1)[1]
            self.assertIn("malformed", self.one_sentence(err, "finetune"))
            self.assertIn("\\x", err)
            for raw in ("\x1b", "\x07", "\x7f", "\u009b"):
                self.assertNotIn(raw, err)


class Others(FileTest):
    """What a refused second training names."""

    def test_the_optimizer_and_the_option_are_named(self):
        for first, second in (("adamw", "adafactor"), ("adafactor", "adamw")):
            checkpoint = self.folder / first
            self.train(self.folder / "a", "--checkpoint", checkpoint, "--optimizer", first)
            line = self.one_sentence(self.train(self.folder / "a", "--checkpoint", checkpoint, "--optimizer", first, status=1)[1], "finetune")
            self.assertIn("a new folder, or --resume", line)
            line = self.one_sentence(self.train(self.folder / "a", "--checkpoint", checkpoint, "--resume", "--optimizer", second, status=1)[1], "finetune")
            self.assertIn(f"got optimizer {first}; expected {second}", line)


class Signals(FileTest):
    """SIGINT and SIGTERM end a training in order, the second at once."""

    def begin(self, *more):
        self.log, self.output = self.folder / "log.jsonl", self.folder / "adapter"
        self.log.unlink(missing_ok=True)
        process = self.start("finetune", "--model", self.model, "--train", self.data, "--method", "lora", "--steps", 1000000, "--output", self.output, "--log", self.log, *more)
        self.wait_for(lambda: self.log.exists() and self.log.read_text().count("\n") > 2)
        return process

    def end(self, process, number):
        process.send_signal(number)
        err = process.communicate(timeout=60)[1]
        self.assertEqual(process.returncode, 128 + number, err)
        self.assertEqual(self.last_event(self.log)["event"], "interrupted")
        self.no_temporaries(self.folder)
        return self.one_sentence(err, "finetune")

    def test_without_checkpoint_the_adapter_is_saved(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            line = self.end(self.begin(), number)
            self.assertIn("adapter", line)
            kept = self.output if number == signal.SIGTERM else pathlib.Path(str(self.output) + ".interrupted")
            faults.run("generate", "--model", self.model, "--adapter", kept, "--prompt", "name : A", "--max-new", 2)
            if number == signal.SIGTERM:
                first = files_of(self.output)
        self.assertEqual(files_of(self.output), first)  # the second training did not replace it
        interrupted = [pathlib.Path(f"{self.output}.interrupted{end}") for end in ("", ".2", ".3")]
        second = files_of(interrupted[0])
        for place in interrupted[1:]:  # nor does a later one replace the second's
            self.assertIn(str(place), self.end(self.begin("--seed", 7), signal.SIGINT))
            faults.run("generate", "--model", self.model, "--adapter", place, "--prompt", "name : A", "--max-new", 2)
        self.assertEqual((files_of(self.output), files_of(interrupted[0])), (first, second))

    def test_with_checkpoint_it_is_gone_on_with(self):
        checkpoint = self.folder / "ck"
        line = self.end(self.begin("--checkpoint", checkpoint, "--checkpoint-every", 1000000), signal.SIGTERM)
        self.assertIn("--resume", line)
        self.assertFalse(self.output.exists())
        step = self.last_event(self.log)["step"]
        self.assertEqual([path.name for path in checkpoint.iterdir()], [f"step-{step:08}"])
        process = self.start("finetune", "--model", self.model, "--train", self.data, "--method", "lora", "--steps", 1000000, "--output", self.output, "--log", self.log, "--checkpoint", checkpoint,
                             "--resume")
        self.wait_for(lambda: self.last_event(self.log)["step"] > step)
        self.end(process, signal.SIGINT)
        steps = [json.loads(line)["step"] for line in self.log.read_text().splitlines() if '"event":"step"' in line]
        self.assertEqual(steps, list(range(1, len(steps) + 1)))

    def test_the_second_kills_at_once(self):
        process = self.begin()
        process.send_signal(signal.SIGSTOP)
        for _ in range(2):
            process.send_signal(signal.SIGTERM)
            time.sleep(0.02)
        process.send_signal(signal.SIGCONT)
        process.communicate(timeout=60)
        self.assertIn(process.returncode, (-signal.SIGTERM, 128 + signal.SIGTERM))  # one, where the system joins pending ones

    def test_generate_keeps_what_it_has(self):
        many = self.folder / "many.txt"
        many.write_text("name : A\n" * 5000)
        out = self.folder / "out.txt"
        process = self.start("generate", "--model", self.model, "--sources", many, "--max-new", 20, "--batch", 4, "--output", out)
        while not process.stderr.readline().startswith("4 of"):
            pass
        process.send_signal(signal.SIGINT)
        err = process.communicate(timeout=60)[1]
        self.assertEqual(process.returncode, 130, err)
        lines = out.read_text().splitlines()
        self.assertGreaterEqual(len(lines), 4)
        self.assertLess(len(lines), 5000)
        self.no_temporaries(self.folder)

    def test_generate_ends_between_two_tokens(self):
        """A single batch of long texts, with every search."""
        many = self.folder / "many.txt"
        many.write_text("name : A\n" * 100)
        big = self.folder / "big"
        tiny_model.write_llama(big, layers=2, width=64, inner=128, positions=4096)
        for number, search in enumerate(((), ("--sample",), ("--beams", 4))):
            with self.subTest(search):
                out = self.folder / f"out{number}"
                process = self.start("generate", "--model", big, "--sources", many, "--max-new", 4000, "--min-new", 4000, "--batch", 400, "--output", out, *search)
                self.wait_for(lambda: (self.folder / f".graft-lock-out{number}").exists())
                self.wait_for(lambda: any(self.folder.glob(".graft-tmp-*")))  # of the outputs, when the model is there
                time.sleep(0.5)
                process.send_signal(signal.SIGTERM)
                err = process.communicate(timeout=60)[1]
                self.assertEqual(process.returncode, 143, err)
                self.assertIn("was ended by signal 15 after 0 of 100 sources", self.one_sentence(err, "generate"))
                self.assertFalse(out.exists())
                self.no_temporaries(self.folder)

    def ended(self, out, name, *arguments):
        """Standard error of the program, ended by a signal after its first predictions: neither while it loads nor when it is done."""
        delay = 1.0
        for _ in range(10):
            out.write_text("earlier\n")
            process = self.start(name, *arguments, "--predictions", out)
            time.sleep(delay)
            process.send_signal(signal.SIGTERM)
            err = process.communicate(timeout=60)[1]
            if process.returncode == 143 and "kept the predictions" in err:
                return err
            delay = delay / 2 if process.returncode == 0 else min(1.5 * delay, 8)
        self.fail(f"no signal came between the first prediction and the last; the last run said {err!r}, with status {process.returncode}")

    def test_predictions_are_kept(self):
        """seq2seq and classify say that a signal ended them, keep what they have beside an earlier file, and leave no lock."""
        bart, bert, pairs, rows, out = (self.folder / name for name in ("bart", "bert", "pairs.tsv", "rows.tsv", "out"))
        tiny_model.write_bart(bart)
        tiny_model.write_bert(bert, ["good", "bad", *(f"word{i}" for i in range(50))])
        pairs.write_text("".join(f"ab{i}\tba\n" for i in range(20000)))
        few = self.folder / "few.tsv"
        few.write_text("good\t1\nbad\t0\n" * 4)
        faults.run("classify", "--model", bert, "--train", few, "--method", "lora", "--steps", 1, "--output", self.folder / "adapter")
        rows.write_text("".join(f"good {'word1 ' * 30}word{i % 50}\t{i % 2}\n" for i in range(20000)))
        for name, *arguments in (("seq2seq", "--model", bart, "--test", pairs, "--max-new", 20), ("classify", "--model", bert, "--adapter", self.folder / "adapter", "--test", rows)):
            with self.subTest(name):
                err = self.ended(out, name, *arguments)
                self.assertIn("was ended by signal 15 after", self.one_sentence(err, name))
                count, place = re.search(r"kept the predictions of the first (\d+) of 20000 (?:sources|rows) in (\S+), beside the earlier file", err).groups()
                self.assertEqual(place, f"{out}.interrupted")
                kept = pathlib.Path(place)
                self.assertEqual(len(kept.read_text().splitlines()), int(count))
                self.assertEqual(out.read_text(), "earlier\n")
                kept.unlink()
                self.no_temporaries(self.folder)

    def limited(self, out, *more):
        """generate until the file may grow no more, in the midst of a source."""
        many = self.folder / "many.txt"
        many.write_text("name : A\n" * 500)
        command = ["sh", "-c", 'ulimit -f 8; exec "$0" "$@"', programs.PATHS["generate"], "--model", str(self.model), "--sources", str(many), "--max-new", "4", "--batch", "8", "--output", str(out), "--json", *more]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.no_temporaries(self.folder)
        kept = re.search(r"kept the outputs of the first (\d+) of 500 sources in (\S+?)(,|\n)", done.stderr)
        return self.one_sentence(done.stderr, "generate"), int(kept[1]), pathlib.Path(kept[2])

    def test_what_is_said_of_a_full_disk_is_true(self):
        out = self.folder / "big"
        for number, place in enumerate((out, f"{out}.interrupted", f"{out}.interrupted.2")):
            before = out.read_bytes() if number else None
            line, sources, kept = self.limited(out)
            self.assertEqual(str(kept), str(pathlib.Path(place).resolve()) if number else str(place))
            texts = kept.read_text().splitlines()
            self.assertEqual(len([json.loads(text) for text in texts]), sources)
            self.assertTrue(kept.read_text().endswith("}\n"))
            self.assertGreater(sources, 8)
            self.assertIn("what was there before is unchanged", line)
            if number:
                self.assertEqual(out.read_bytes(), before)
            else:
                out.write_text("old\n")


if __name__ == "__main__":
    faults.main()
