"""explain on tiny models: its numbers hang together, its page stands alone, and it says what is wrong with its input."""

import json
import math
import re

import programs
import tiny_model
from programs import ProgramTest, run, run_json


class Explaining(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for method, *settings in (("prefix", "--length", 3), ("prompt", "--length", 4), ("lora",), ("infix", "--length", 2)):
            run("finetune", "--model", cls.model, "--data", cls.data, "--method", method, "--output", cls.folder / method, "--steps", 2, *settings)

    def explain(self, method, *more):
        return run_json("explain", "--model", self.model, "--adapter", self.folder / method, "--source", "name : A", "--target", "A is a pub.", *more)

    def test_attention_goes_somewhere(self):
        kinds = {"prefix": {"prefix", "source", "target"}, "prompt": {"virtual", "source", "target"}, "lora": {"source", "target"}, "infix": {"infix", "source", "target"}}
        for method, keys in kinds.items():
            with self.subTest(method):
                found = self.explain(method, "--weights")
                self.assertEqual([entry["layer"] for entry in found["attention"]], [0, 1])
                for entry in found["attention"]:
                    self.assertEqual({key["kind"] for key in entry["keys"]}, keys)
                    for heads in entry["mass"].values():
                        for parts in zip(*heads.values()):
                            self.assertAlmostEqual(sum(parts), 1, places=9)
                        self.assertEqual({len(mass) for mass in heads.values()}, {4})
                    self.assertEqual((len(entry["weights"]), len(entry["weights"][0]), len(entry["weights"][0][0])), (4, len(entry["queries"]), len(entry["keys"])))
                    for head in entry["weights"]:
                        for query in head:
                            self.assertAlmostEqual(sum(query), 1, places=9)
                target = [index for index, query in enumerate(entry["queries"]) if query["kind"] == "target"]
                source = [index for index, key in enumerate(entry["keys"]) if key["kind"] == "source"]
                mean = sum(entry["weights"][2][q][k] for q in target for k in source) / len(target)
                self.assertAlmostEqual(entry["mass"]["target"]["source"][2], mean, places=9)
                self.assertNotIn("weights", self.explain(method)["attention"][0])

    def test_words_near_to_virtual_tokens(self):
        found = self.explain("prompt", "--words", 3)
        self.assertEqual([(token["stack"], token["index"]) for token in found["virtual_tokens"]], [("decoder", index) for index in range(4)])
        for token in found["virtual_tokens"]:
            cosines, distances = ([word[measure] for word in token[order]] for measure, order in (("cosine", "by_cosine"), ("distance", "by_distance")))
            self.assertEqual((cosines, distances), (sorted(cosines, reverse=True), sorted(distances)))
            self.assertEqual((len(cosines), len(distances)), (3, 3))
            self.assertLessEqual(max(map(abs, cosines)), 1 + 1e-12)
        for method in ("prefix", "lora"):
            self.assertEqual(self.explain(method)["virtual_tokens"], [])

    def test_states_and_loss(self):
        found = self.explain("lora")
        self.assertEqual([layer["layer"] for layer in found["norms"]], [-1, 0, 1])
        self.assertEqual(found["norms"][0]["change"], 0)  # LoRA does not touch the embeddings
        self.assertGreater(found["norms"][2]["change"], 0)
        self.assertNotEqual(found["loss"]["adapted"], found["loss"]["base"])
        self.assertTrue(math.isfinite(found["loss"]["adapted"]))

    def test_writes_the_target_itself(self):
        command = ("--model", self.model, "--adapter", self.folder / "prefix")
        found = run_json("explain", *command, "--source", "name : A", "--max-new", 5)
        self.assertTrue(found["written"])
        written = run("generate", *command, "--prompt", "name : A", "--greedy", "--max-new", 5)[0].rstrip("\n")
        self.assertEqual(found["target"].strip(), written.strip())
        self.assertFalse(self.explain("prefix")["written"])

    def test_page_and_summary(self):
        page = self.folder / "page.html"
        text, err = run("explain", "--model", self.model, "--adapter", self.folder / "prompt", "--source", "a </script><b>", "--target", "b & c", "--output", page)
        self.assertEqual(err, "")
        for said in ("prompt_tuning", "loss of the target", "nearest words", "attention by layer", "decoder 1:", "states by layer"):
            self.assertIn(said, text)
        html = page.read_text(encoding="utf-8")
        self.assertNotRegex(html, r"(src|href)=|https?://|@import|url\(")
        self.assertNotIn("<b>", html)
        self.assertEqual(html.count("</script>"), 2)
        maps = json.loads(re.search(r'id="maps">(.*?)</script>', html, re.DOTALL).group(1))
        self.assertEqual([entry["heads"] for entry in maps], [4, 4])
        self.assertIn("virtual 3", maps[0]["keys"])
        self.assertIn("target → virtual", html)

    def test_encoders(self):
        bart, bert = self.folder / "bart", self.folder / "bert"
        tiny_model.write_bart(bart)
        tiny_model.write_bert(bert, ["good", "bad"])
        pairs, classes = self.write("pairs.tsv", "ab\tAB\nba\tBA\n"), self.write("classes.tsv", "good\t1\nbad\t0\n")
        run("seq2seq", "--model", bart, "--train", pairs, "--method", "prefix", "--length", 2, "--steps", 1, "--output", self.folder / "pairs")
        run("classify", "--model", bert, "--train", classes, "--method", "prompt", "--length", 2, "--steps", 1, "--output", self.folder / "classes")
        found = run_json("explain", "--model", bart, "--adapter", self.folder / "pairs", "--source", "ab", "--target", "AB")
        self.assertEqual([entry["attention"] for entry in found["attention"]], ["encoder", "decoder", "cross"])
        self.assertEqual({key["kind"] for key in found["attention"][2]["keys"]}, {"prefix", "source"})
        page = self.folder / "classes.html"
        found = run_json("explain", "--model", bert, "--adapter", self.folder / "classes", "--source", "good bad", "--output", page)
        self.assertIn(found["class"], (0, 1))
        self.assertEqual({key["kind"] for key in found["attention"][0]["keys"]}, {"virtual", "source"})
        self.assertIn("says class", page.read_text(encoding="utf-8"))
        self.refused("explain", "--model", bert, "--adapter", self.folder / "classes", "--source", "good", "--target", "bad", says=("classifies", "expected no --target"))

    def test_refuses(self):
        command = ("--model", self.model, "--adapter", self.folder / "prefix")
        self.refused("explain", *command, "--source", "a " * 600, says=("positions", "--source"))
        self.refused("explain", "--model", self.model, "--adapter", self.folder / "none", "--source", "a", says="none")
        run("explain", *command, "--source", "a", "--output", self.model, status=2)
        other = self.folder / "other"
        tiny_model.write_llama(other, seed=1)
        self.refused("explain", "--model", other, "--adapter", self.folder / "prefix", "--source", "a", says="was made over a base of")


if __name__ == "__main__":
    programs.main()
