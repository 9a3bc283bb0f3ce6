"""One line a text, whatever it holds."""

import json

import faults
import tiny_model
from faults import FaultTest, run
from templates import lines_of, written


def unescaped(line):
    """What docs/programs.md says of a line of outputs."""
    text, rest = "", line
    while rest:
        at = rest.find("\\")
        if at < 0:
            return text + rest
        text, kind = text + rest[:at], rest[at + 1]
        length = 6 if kind == "u" else 2
        text += {"n": "\n", "r": "\r", "\\": "\\"}.get(kind) or chr(int(rest[at + 2:at + 6], 16))
        rest = rest[at + length:]
    return text


class Lines(FaultTest):
    def test_predictions_are_one_line_each(self):  # b15
        b15 = self.report("b15")
        model, pairs, out = b15 / "model", b15 / "pairs.tsv", self.folder / "out"
        run("seq2seq", "--model", model, "--test", pairs, "--max-new", "10", "--predictions", out)
        lines = lines_of(out.read_bytes().decode())
        self.assertEqual(len(lines), 3)
        self.assertEqual(len(out.read_text(encoding="utf-8").splitlines()), 3)
        sources = self.folder / "sources.txt"
        sources.write_text("".join(line.split("\t")[0] + "\n" for line in pairs.read_text().splitlines()))
        texts = [one["text"] for one in written("--model", model, "--sources", sources, "--max-new", "10")]
        self.assertIn("\n", "".join(texts))
        self.assertEqual([unescaped(line) for line in lines], texts)
        references = self.folder / "references.txt"
        references.write_text("".join(line.split("\t")[1] + "\n\n" for line in pairs.read_text().splitlines()))
        score = lambda *options: json.loads(run("score", "--hypotheses", out, "--references", references, "--tokenization", "sacrebleu", "--json", *options)[0])
        self.assertEqual(score(), score("--escapes", "always"))

    def test_what_score_reads(self):
        """Outputs with line breaks score as the same words with spaces; literal backslashes stay what an option says, and else are said."""
        escaped, spaced, literal, references = (self.folder / name for name in ("escaped", "spaced", "literal", "references"))
        escaped.write_text("the cat\\nsat on the mat\na \\\\ b c d\n")
        spaced.write_text("the cat sat on the mat\na \\ b c d\n")
        literal.write_text("the cat\\nsat on the mat\na \\beta c d\n")
        references.write_text("the cat sat on the mat\n\na \\ b c d\n")
        def score(hypotheses, *options):
            out, err = run("score", "--hypotheses", hypotheses, "--references", references, "--tokenization", "none", "--json", *options)
            return json.loads(out)["bleu"], err
        self.assertAlmostEqual(score(escaped)[0], 100.0)
        self.assertIn("escaped] has backslashes in 2 lines, which are read as escapes", score(escaped)[1])
        value, err = score(escaped, "--escapes", "always", "--reference-escapes", "never")
        self.assertAlmostEqual(value, 100.0)
        self.assertEqual(err, "")
        self.assertLess(score(escaped, "--escapes", "never")[0], 100.0)
        self.assertAlmostEqual(score(spaced, "--escapes", "never", "--reference-escapes", "never")[0], 100.0)
        self.assertIn("literal] has backslashes in 2 lines, which are read as they stand, for one in line 2 begins no escape", score(literal)[1])
        self.refused("score", "--hypotheses", literal, "--references", references, "--escapes", "always", says=("literal] has a backslash that begins no escape; got line 2", "expected \\\\, \\n"))

    def test_generate_writes_a_line_a_source(self):
        """A model that is taught to write a backslash and characters that end lines somewhere."""
        model, data, sources, out = (self.folder / name for name in ("model", "data.csv", "sources.txt", "out"))
        tiny_model.write_llama(model)
        target = "x y\\n z\u2028\u000b"  # a CSV's line breaks are read as spaces
        data.write_text('mr,ref\n"a[b]","' + target + '!"\n', encoding="utf-8", newline="")
        run("finetune", "--model", model, "--train", data, "--method", "full", "--learning-rate", "0.01", "--epochs", "80", "--batch", "1", "--output", self.folder / "a")
        sources.write_text("a : b\n")
        run("generate", "--model", model, "--adapter", self.folder / "a", "--sources", sources, "--output", out, "--max-new", "30")
        lines = out.read_text(encoding="utf-8").splitlines()
        self.assertEqual(lines, ["x y\\\\n z\\u2028\\u000b!"])
        self.assertEqual(written("--model", model, "--adapter", self.folder / "a", "--sources", sources, "--max-new", "30")[0]["text"], target + "!")
        several = run("generate", "--model", model, "--adapter", self.folder / "a", "--prompt", "a : b", "--max-new", "30", "--beams", "2", "--sequences", "2")[0]
        self.assertEqual(len(lines_of(several)), 2)


if __name__ == "__main__":
    faults.main()
