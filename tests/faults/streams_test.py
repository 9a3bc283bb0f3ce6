"""What can be read once (a pipe, a FIFO, standard input) is read once, or refused in a sentence that is true, wherever a program takes a file."""

import os
import subprocess
import threading

import faults
import programs
import tiny_model

OUTPUT = ("--method", "lora", "--steps", 2, "--json")


class Streams(faults.FaultTest):
    def setUp(self):
        super().setUp()
        self.model, self.bart, self.bert = self.folder / "llama", self.folder / "bart", self.folder / "bert"
        tiny_model.write_llama(self.model)
        tiny_model.write_bart(self.bart)
        tiny_model.write_bert(self.bert, ["good", "bad", *(f"word{i}" for i in range(12))])
        self.pairs = self.write("pairs", "ab\tAB\nba\tBA\n" * 6)
        self.bars = self.write("bars", "ab || AB\nba || BA\n" * 6)
        self.csv = self.write("csv", "mr,ref\n" + '"name[A], food[B]",A text.\n' * 6)
        self.classes = self.write("classes", "".join(f"{word} word{i}\t{label}\n" for i in range(12) for label, word in enumerate(("bad", "good"))))
        self.lines = self.write("lines", "a b c d\n")

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def piped(self, program, file, *arguments, status=0):
        """The program with `file` as standard input, which is a pipe; PIPE among the arguments is its name."""
        words = [programs.PATHS[program], *("/dev/stdin" if word == "PIPE" else str(word) for word in arguments)]
        done = subprocess.run(words, input=file.read_bytes(), capture_output=True, timeout=120)
        self.assertEqual(done.returncode, status, done.stderr.decode())
        return done.stdout.decode(), done.stderr.decode()

    def same(self, program, file, *arguments):
        """A run on a pipe prints and says what the run on the file does, but for times and the file's name."""
        def without_times(text):
            return [part for part in text.split(",") if "seconds" not in part and "second" not in part and "memory" not in part]

        piped, _ = self.piped(program, file, *arguments)
        named, _ = programs.run(program, *(file if word == "PIPE" else word for word in arguments))
        self.assertEqual(without_times(piped), without_times(named), program)

    def test_examples(self):
        for number, data in enumerate((self.pairs, self.bars, self.csv)):
            with self.subTest(data.name):
                self.same("finetune", data, "--model", self.model, "--train", "PIPE", "--output", self.folder / f"out{number}", *OUTPUT)
        self.same("finetune", self.bars, "--model", self.model, "--data", "PIPE", "--output", self.folder / "data", *OUTPUT)
        self.same("finetune", self.bars, "--model", self.model, "--train", self.pairs, "--validation", "PIPE", "--output", self.folder / "validated", *OUTPUT)
        for option in ("--train", "--validation", "--test"):
            with self.subTest(option):
                others = ("--train", self.pairs) if option != "--train" else ()
                self.same("seq2seq", self.pairs, "--model", self.bart, *others, option, "PIPE", *OUTPUT, *(("--max-new", 3) if option == "--test" else ()))
                others = ("--train", self.classes) if option != "--train" else ()
                self.same("classify", self.classes, "--model", self.bert, *others, option, "PIPE", *OUTPUT)

    def test_rows_that_are_cut_are_not_read_again(self):
        long = self.write("long", "".join(f"{'good ' * 90}\t{i % 2}\n" for i in range(8)))
        self.same("classify", long, "--model", self.bert, "--train", "PIPE", "--too-long", "cut", "--max-length", 90, *OUTPUT)

    def test_sources_and_scores(self):
        self.same("generate", self.lines, "--model", self.model, "--sources", "PIPE", "--max-new", 3)
        self.same("score", self.lines, "--hypotheses", "PIPE", "--references", self.lines)
        self.same("score", self.lines, "--hypotheses", self.lines, "--references", "PIPE")

    def test_a_fifo(self):
        fifo = self.folder / "fifo"
        os.mkfifo(fifo)
        writer = threading.Thread(target=lambda: fifo.write_bytes(self.pairs.read_bytes()))
        writer.start()
        out, _ = programs.run("finetune", "--model", self.model, "--train", fifo, "--output", self.folder / "out", *OUTPUT)
        writer.join()
        self.assertIn('"training_examples":12', out)

    def test_one_stream_for_two_options(self):
        for program, data, *arguments in (("finetune", self.pairs, "--model", self.model, "--train", "PIPE", "--validation", "PIPE", "--output", self.folder / "out"),
                                          ("seq2seq", self.pairs, "--model", self.bart, "--train", "PIPE", "--test", "PIPE", "--method", "lora"),
                                          ("classify", self.classes, "--model", self.bert, "--train", "PIPE", "--test", "PIPE", "--method", "lora"),
                                          ("score", self.lines, "--hypotheses", "PIPE", "--references", "PIPE")):
            with self.subTest(program):
                out, err = self.piped(program, data, *arguments, status=2)
                self.assertEqual(out, "")
                self.assertIn("which can be read once", err)
        self.assertFalse((self.folder / "out").exists())

    def test_compare_needs_files(self):
        for arguments in (("--data", "PIPE"), ("--data", self.bars, "--test", "PIPE")):
            out, err = self.piped("compare", self.bars, "--model", self.model, *arguments, "--out", self.folder / "out", status=2)
            self.assertIn("names a pipe", err)
            self.assertFalse((self.folder / "out").exists())

    def test_models_and_adapters_must_be_files(self):
        for program, *arguments in (("generate", "--model", "PIPE", "--prompt", "a"), ("finetune", "--model", "PIPE", "--train", self.pairs, "--output", self.folder / "out"), ("inspect", "PIPE"),
                                    ("generate", "--model", self.model, "--adapter", "PIPE", "--prompt", "a"), ("convert", "--model", self.model, "--adapter", "PIPE", "--output", self.folder / "out"),
                                    ("seq2seq", "--model", "PIPE", "--test", self.pairs), ("classify", "--model", "PIPE", "--train", self.classes)):
            with self.subTest(program, arguments=arguments):
                out, err = self.piped(program, self.pairs, *arguments, status=1)
                self.assertEqual(out, "")
                self.assertIn("/dev/stdin", err)
                self.assertNotIn("empty", err)


if __name__ == "__main__":
    faults.main()
