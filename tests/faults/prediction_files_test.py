"""Predictions, logs and other outputs onto what is no regular file."""

import json
import os
import socket
import subprocess
import threading

import faults
import programs
import tiny_model
from written_files import FileTest, said


class Streams(FileTest):
    """Outputs onto what is no regular file."""

    def generate(self, output, status=0):
        return faults.run("generate", "--model", self.model, "--sources", self.sources, "--max-new", 4, "--output", output, status=status)

    def read_fifo(self, path):
        got = []
        thread = threading.Thread(target=lambda: got.append(path.read_bytes()))
        thread.start()
        return thread, got

    def test_fifo(self):
        expected = self.folder / "plain.txt"
        self.generate(expected)
        pipe = self.folder / "pipe"
        os.mkfifo(pipe)
        (self.folder / "link").symlink_to("pipe")
        for output in (pipe, self.folder / "link"):
            thread, got = self.read_fifo(pipe)
            self.generate(output)
            thread.join(30)
            self.assertEqual(got, [expected.read_bytes()])
            self.assertTrue(pipe.is_fifo())

    def test_fifo_npy(self):
        self.train(self.folder / "prompt", method="prompt")
        faults.run("convert", "--adapter", self.folder / "prompt", "--output", self.folder / "plain.npy")
        os.mkfifo(self.folder / "pipe.npy")
        thread, got = self.read_fifo(self.folder / "pipe.npy")
        faults.run("convert", "--adapter", self.folder / "prompt", "--output", self.folder / "pipe.npy")
        thread.join(30)
        self.assertEqual(got, [(self.folder / "plain.npy").read_bytes()])
        self.assertTrue((self.folder / "pipe.npy").is_fifo())

    def test_fifo_log(self):
        os.mkfifo(self.folder / "log")
        thread, got = self.read_fifo(self.folder / "log")
        self.train(self.folder / "adapter", "--log", self.folder / "log")
        thread.join(30)
        self.assertEqual([json.loads(line)["event"] for line in got[0].splitlines()][-1], "end")
        self.assertTrue((self.folder / "log").is_fifo())

    def test_fifo_that_nobody_reads_any_more(self):
        os.mkfifo(self.folder / "log")
        reader = os.open(self.folder / "log", os.O_RDONLY | os.O_NONBLOCK)
        process = self.start("finetune", "--model", self.model, "--train", self.data, "--method", "lora", "--steps", 2000, "--output", self.folder / "a", "--log", self.folder / "log")
        self.wait_for(lambda: self.some(reader))
        os.close(reader)
        err = process.communicate(timeout=120)[1]
        self.assertEqual(process.returncode, 0, err)
        self.assertIn("the training goes on", err)
        self.assertTrue((self.folder / "a/adapter_config.json").exists())

    @staticmethod
    def some(reader):
        try:
            return os.read(reader, 10)
        except BlockingIOError:
            return b""

    def test_standard_output(self):
        expected = self.folder / "plain.txt"
        self.generate(expected)
        self.assertEqual(self.generate("/dev/stdout")[0], expected.read_text())
        target = self.folder / "appended.txt"
        target.write_text("before\n")
        with open(target, "a") as out:  # as a shell's >>
            subprocess.run([programs.PATHS["generate"], "--model", self.model, "--sources", self.sources, "--max-new", "4", "--output", "/dev/stdout"], stdout=out, stderr=subprocess.DEVNULL, check=True)
        self.assertEqual(target.read_text(), "before\n" + expected.read_text())

    def test_refused(self):
        (self.folder / "folder").mkdir()
        (self.folder / "loop").symlink_to("loop")
        (self.folder / "ring1").symlink_to("ring2")
        (self.folder / "ring2").symlink_to("ring1")
        listening = socket.socket(socket.AF_UNIX)
        self.addCleanup(listening.close)
        listening.bind(str(self.folder / "socket"))
        for name, says in (("folder", "is a folder"), ("loop", "loop"), ("ring1", "loop"), ("socket", "socket"), ("none/file", "cannot be written"), ("loop/file", "cannot be written")):
            output = self.folder / name
            before = sorted(os.listdir(self.folder))
            self.one_sentence(self.refused("generate", "--model", self.model, "--sources", self.sources, "--output", output, says=[str(output), says]), "generate")
            self.one_sentence(self.refused("finetune", "--model", self.model, "--train", self.data, "--method", "lora", "--steps", 1, "--output", self.folder / "adapter", "--log", output, says=str(output)), "finetune")
            self.assertFalse((self.folder / "adapter").exists())
            self.assertEqual(sorted(os.listdir(self.folder)), before)
        for name in ("loop", "socket"):
            self.refused("finetune", "--model", self.model, "--train", self.data, "--method", "lora", "--steps", 1, "--output", self.folder / name, says=str(self.folder / name))
        self.assertTrue((self.folder / "loop").is_symlink())

    def test_dangling_link(self):
        (self.folder / "link").symlink_to("later.txt")
        self.generate(self.folder / "link")
        self.assertTrue((self.folder / "link").is_symlink())
        self.assertEqual(len((self.folder / "later.txt").read_text().splitlines()), 2)
        (self.folder / "adapter").symlink_to("elsewhere")
        self.train(self.folder / "adapter")
        self.assertTrue((self.folder / "adapter").is_symlink())
        self.assertTrue((self.folder / "elsewhere/adapter_config.json").exists())
        (self.folder / "astray").symlink_to("no/such/folder/file")
        self.one_sentence(self.generate(self.folder / "astray", status=1)[1], "generate")
        self.assertTrue((self.folder / "astray").is_symlink())

    def test_devices(self):
        mount = self.mounted("dev")
        null = mount / "null"
        if subprocess.run(["mknod", null, "c", "1", "3"], capture_output=True).returncode != 0:
            said("devices: mknod is not permitted here")
            self.skipTest("mknod is not permitted here")
        subprocess.run(["mknod", mount / "full", "c", "1", "7"], check=True)
        subprocess.run(["mknod", mount / "block", "b", "240", "77"], check=True)
        (mount / "null.npy").symlink_to("null")
        self.generate(null)
        self.train(self.folder / "prompt", "--log", null, method="prompt")
        faults.run("convert", "--adapter", self.folder / "prompt", "--output", mount / "null.npy")
        self.assertTrue(null.is_char_device())
        self.assertTrue((mount / "null.npy").is_symlink())
        self.assertIn("No space left", self.one_sentence(self.generate(mount / "full", status=1)[1], "generate"))
        self.assertTrue((mount / "full").is_char_device())
        self.assertIn("is a device", self.one_sentence(self.generate(mount / "block", status=1)[1], "generate"))
        self.assertTrue((mount / "block").is_block_device())
        err = self.train(self.folder / "prompt", "--log", mount / "full", method="prompt")[1]
        self.assertIn("the training goes on", err)
        for name in ("null", "full", "block"):
            self.refused("finetune", "--model", self.model, "--train", self.data, "--method", "lora", "--steps", 1, "--output", mount / name, says=str(mount / name))

    def test_predictions(self):
        tiny_model.write_bart(self.folder / "bart")
        pairs = self.folder / "pairs.tsv"
        pairs.write_text("abc\tcba\nabd\tdba\n")
        (self.folder / "loop").symlink_to("loop")
        common = ("seq2seq", "--model", self.folder / "bart", "--test", pairs, "--max-new", 4, "--predictions")
        self.one_sentence(self.refused(*common, self.folder / "loop", says="loop"), "seq2seq")
        os.mkfifo(self.folder / "pipe")
        thread, got = self.read_fifo(self.folder / "pipe")
        faults.run(*common, self.folder / "pipe")
        thread.join(30)
        self.assertEqual(len(got[0].splitlines()), 2)
        self.assertTrue((self.folder / "pipe").is_fifo())

    def closed(self, words, program, *arguments):
        """The exit status and standard error (empty where it is closed) of a program behind a shell's `words`, as >&-."""
        command = ["sh", "-c", f'exec "$0" "$@" {words}', programs.PATHS[program], *map(str, arguments)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
        self.assertEqual(done.stdout, "")
        return done.returncode, done.stderr

    def test_closed_descriptors(self):
        """What is meant for a closed standard output is not lost in silence, in no program, and lands in no other file."""
        self.train(self.folder / "adapter")
        lines, pairs, classes = self.folder / "lines.txt", self.folder / "pairs.tsv", self.folder / "classes.tsv"
        lines.write_text("a b c d\n")
        pairs.write_text("abc\tcba\nabd\tdba\n")
        classes.write_text("good word\t1\nbad word\t0\n" * 4)
        tiny_model.write_bart(self.folder / "bart")
        tiny_model.write_bert(self.folder / "bert", ["good", "bad", "word"])
        train = ("--model", self.model, "--train", self.data, "--method", "lora", "--steps", 1)
        for name, *arguments in (("finetune", *train, "--output", self.folder / "q1"), ("generate", "--model", self.model, "--prompt", "a", "--max-new", 2),
                                 ("inspect", self.folder / "adapter"), ("score", "--hypotheses", lines, "--references", lines),
                                 ("convert", "--adapter", self.folder / "adapter", "--model", self.model, "--output", self.folder / "q2"),
                                 ("seq2seq", "--model", self.folder / "bart", "--train", pairs, "--method", "lora", "--steps", 1, "--output", self.folder / "q3"),
                                 ("classify", "--model", self.folder / "bert", "--train", classes, "--method", "lora", "--steps", 1, "--output", self.folder / "q4"),
                                 ("compare", "--model", self.model, "--data", self.data, "--methods", "lora", "--steps", 1, "--max-new", 2, "--out", self.folder / "q5")):
            for more in (("--json",), ("--help",)):
                with self.subTest(name, more=more):
                    status, err = self.closed(">&-", name, *arguments, *more)
                    self.assertEqual(status, 1, err)
                    self.assertIn("[standard output] cannot be written", self.one_sentence(err, name))
                    self.assertEqual(self.closed("<&- >&- 2>&-", name, *arguments, *more)[0], 1)
        self.assertTrue((self.folder / "q1/adapter_config.json").exists())
        log = self.folder / "log.jsonl"
        self.closed("<&- >&- 2>&-", "finetune", *train, "--output", self.folder / "q6", "--log", log)
        self.assertEqual([json.loads(line)["event"] for line in log.read_text().splitlines()], ["step", "end"])
        status, err = self.closed(">&-", "generate", "--model", self.model, "--sources", self.sources, "--max-new", 4, "--output", "/dev/stdout")
        self.assertEqual(status, 1)
        self.assertIn("[/dev/stdout] cannot be written", self.one_sentence(err, "generate"))

    def test_log_that_nobody_reads(self):
        os.mkfifo(self.folder / "log")
        err = self.train(self.folder / "adapter", "--log", self.folder / "log", status=1)[1]
        self.assertIn("is a FIFO that nobody reads", self.one_sentence(err, "finetune"))
        self.assertTrue((self.folder / "log").is_fifo())
        self.assertFalse((self.folder / "adapter/adapter_config.json").exists())

    def test_log_in_the_place_of_another_file(self):
        log = self.folder / "notes.txt"
        log.write_text("my notes\n")
        err = self.train(self.folder / "adapter", "--log", log, status=1)[1]
        self.assertIn("holds something else than the log of a training", self.one_sentence(err, "finetune"))
        self.assertEqual(log.read_text(), "my notes\n")
        log.write_text("")
        for _ in range(2):  # an empty file, an earlier log
            self.train(self.folder / "adapter", "--log", log)
            self.assertEqual(self.last_event(log)["event"], "end")

    def test_closed_standard_output(self):
        process = self.start("generate", "--model", self.model, "--sources", self.sources, "--max-new", 4, "--output", "/dev/fd/77")
        err = process.communicate(timeout=60)[1]
        self.assertEqual(process.returncode, 1)
        self.one_sentence(err, "generate")


if __name__ == "__main__":
    faults.main()
