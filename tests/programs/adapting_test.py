"""finetune → generate → score on a tiny model, and inspect on what comes of it."""

import json

import programs
import tiny_model
from programs import ProgramTest, run, run_json


class Adapting(ProgramTest):
    def finetune(self, method, name, *more):
        return run_json("finetune", "--model", self.model, "--data", self.data, "--method", method, "--output", self.folder / name, *([] if "--steps" in more else ["--epochs", "4"]), *more)

    def test_every_strategy_learns_and_comes_back_from_its_folder(self):
        sources = self.write("sources.txt", "name : N1 | type : pub\nname : N2 | type : bar\n")
        untrained = run_json("finetune", "--model", self.model, "--data", self.data, "--method", "none")
        scores = lambda *adapter: [json.loads(line)["score"] for line in run("generate", "--model", self.model, *adapter, "--sources", sources, "--max-new", "12", "--json")[0].splitlines()]
        plain = scores()
        peft = {"prefix", "prefix_mlp", "prompt", "lora", "ia3", "p_tuning"}
        for method in ("prefix", "prefix_mlp", "prompt", "infix", "embedding", "adapter", "lora", "top_layers", "full", "prefix_lora", "ia3", "p_tuning", "parallel_adapter", "mam"):
            with self.subTest(method):
                summary = self.finetune(method, method, "--learning-rate", "0.02")
                self.assertLess(summary["validation_loss"], untrained["validation_loss"])
                self.assertGreater(summary["trainable"], 0)
                about = run_json("inspect", self.folder / method)
                self.assertEqual((about["kind"], about["format"]), ("adapter", "PEFT" if method in peft else "graft"))
                self.assertGreater(about["parameters"], 0)
                adapted = scores("--adapter", self.folder / method)
                self.assertEqual(len(adapted), 2)
                self.assertNotEqual(adapted, plain)

    def test_same_command_same_numbers(self):
        timing = ("train_seconds", "seconds", "tokens_per_second", "peak_memory_mib", "output")
        summaries = [{k: v for k, v in self.finetune("lora", name).items() if k not in timing} for name in ("one", "two")]
        self.assertEqual(*summaries)
        self.assertEqual((self.folder / "one/adapter_model.safetensors").read_bytes(), (self.folder / "two/adapter_model.safetensors").read_bytes())

    def test_layers_that_are_computed_again_give_the_same_numbers_in_less_memory(self):
        deep = self.folder / "deep"
        tiny_model.write_llama(deep, layers=16, positions=4096)
        rows = self.write("long.tsv", "".join(f"{'name : a | type : pub, ' * 120}\tN{i} is a pub.\n" for i in range(2)))
        train = lambda name, *more: run_json("finetune", "--model", deep, "--train", rows, "--method", "lora", "--batch", 1, "--output", self.folder / name, "--checkpoint", self.folder / f"{name}_checkpoints", *more)
        plain, again = train("kept", "--steps", 2), train("again", "--steps", 2, "--recompute")
        self.assertEqual((plain["recompute"], again["recompute"]), (False, True))
        self.assertEqual(again["training_loss"], plain["training_loss"])
        weights = lambda name: (self.folder / name / "adapter_model.safetensors").read_bytes()
        self.assertEqual(weights("again"), weights("kept"))
        self.assertLess(again["peak_memory_mib"], plain["peak_memory_mib"] / 2)
        self.assertEqual(train("kept", "--steps", 2, "--recompute", "--resume")["steps"], 2)  # it may differ on a resume
        self.assertEqual(weights("kept"), weights("again"))

    def test_a_tiny_model_learns_a_text_by_heart(self):
        data = self.write("one.txt", "key || pub is a pub.\n" * 4)
        run("finetune", "--model", self.model, "--train", data, "--method", "full", "--learning-rate", "0.01", "--epochs", "60", "--batch", "4", "--separator", " =>", "--output", self.folder / "learnt")
        sources, outputs = self.write("key.txt", "key\nkey\n"), self.folder / "outputs.txt"
        run("generate", "--model", self.model, "--adapter", self.folder / "learnt", "--sources", sources, "--output", outputs)  # the separator comes from the adapter
        self.assertEqual(outputs.read_text(), "pub is a pub.\n" * 2)
        references = self.write("references.txt", "pub is a pub.\n\npub is a pub.\n")
        scores = run_json("score", "--hypotheses", outputs, "--references", references)
        self.assertAlmostEqual(scores["bleu"], 100)
        self.assertAlmostEqual(scores["rougeL"], 100)
        streamed = run("generate", "--model", self.model, "--adapter", self.folder / "learnt", "--prompt", "key")[0]
        self.assertEqual(streamed.strip(), "pub is a pub.")
        for search in (["--beams", "3"], ["--sample", "--top-k", "1"]):
            line = json.loads(run("generate", "--model", self.model, "--adapter", self.folder / "learnt", "--prompt", "key", "--json", *search)[0])
            self.assertEqual((line["text"].strip(), line["finished"], line["prompt"]), ("pub is a pub.", True, "key"))

    def test_generation_does_not_depend_on_the_batch(self):
        sources = self.write("many.txt", "".join(f"name : N{i}\n" for i in range(7)))
        for search in ([], ["--sample", "--seed", "3"], ["--beams", "2", "--sequences", "2"]):
            outputs = [run("generate", "--model", self.model, "--sources", sources, "--max-new", "8", "--batch", batch, *search)[0] for batch in (1, 4, 32)]
            self.assertEqual(outputs[0].count("\n"), 14 if "--sequences" in search else 7)
            self.assertEqual(outputs[0], outputs[1])
            self.assertEqual(outputs[0], outputs[2])

    def test_resume_ends_where_an_unbroken_training_does(self):
        checkpoint = ("--checkpoint", self.folder / "checkpoints", "--checkpoint-every", "2")
        self.finetune("lora", "whole", "--steps", "6")
        self.finetune("lora", "first", "--steps", "6", *checkpoint)
        newest = max((self.folder / "checkpoints").iterdir())
        for file in newest.iterdir():
            file.unlink()
        newest.rmdir()  # as if the last steps had never been
        self.finetune("lora", "resumed", "--steps", "6", *checkpoint, "--resume")
        self.assertEqual((self.folder / "whole/adapter_model.safetensors").read_bytes(), (self.folder / "resumed/adapter_model.safetensors").read_bytes())
        self.refused("finetune", "--model", self.model, "--data", self.data, "--output", self.folder / "x", *checkpoint, says="earlier training")

    def test_log_recipe_and_lengths(self):
        log = self.folder / "log.jsonl"
        summary = self.finetune("prefix", "recipe", "--recipe", "e2e", "--steps", "3", "--log", log, "--max-source", "12", "--max-target", "8")
        self.assertEqual((summary["batch"], summary["learning_rate"]), (10, 8e-5))
        self.assertGreater(summary["cut_sources"], 0)
        self.assertGreater(summary["cut_targets"], 0)
        events = [json.loads(line)["event"] for line in log.read_text().splitlines()]
        self.assertEqual(events.count("step"), 3)
        self.assertEqual(run_json("inspect", self.folder / "recipe")["settings"]["num_virtual_tokens"], 5)

    def test_text_of_finetune_and_generated_data(self):
        out, err = run("finetune", "--model", self.model, "--data", "generated", "--rows", "8", "--method", "lora", "--steps", "1", "--output", self.folder / "text")
        self.assertRegex(out, r"^trainable params: [\d,]+ \|\| all params: [\d,]+ \|\| trainable%: [\d.]+\n")
        self.assertIn("saved in", out)
        self.assertIn("step 1/1", err)


class Inspecting(ProgramTest):
    def test_model(self):
        parameters = tiny_model.write_llama(self.folder / "counted", layers=3)
        about = run_json("inspect", self.folder / "counted")
        self.assertEqual((about["kind"], about["architecture"], about["parameters"]), ("model", "llama", parameters))
        self.assertEqual(about["dimensions"]["kv_heads"], 2)
        self.assertEqual(sum(site["parameters"] for site in about["sites"]), parameters)
        self.assertEqual(about["storage"], {"float32": about["tensors"]})
        self.assertEqual(about["tokenizer"]["eos"]["token"], "<|end|>")
        self.assertAlmostEqual(about["memory_mib"], parameters * 4 / 2**20)
        query = next(site for site in about["sites"] if site["name"].endswith("q_proj"))
        self.assertEqual((query["count"], query["out"], query["in"]), (3, 32, 32))
        text = run("inspect", self.folder / "counted")[0]
        for shown in ("llama", f"{parameters:,}", "model.layers.*.self_attn.k_proj", "<|end|>"):
            self.assertIn(shown, text)

    def test_adapter(self):
        run("finetune", "--model", self.model, "--data", self.data, "--method", "lora", "--rank", "3", "--steps", "1", "--output", self.folder / "lora")
        about = run_json("inspect", self.folder / "lora")
        self.assertEqual((about["strategy"], about["settings"]["r"], len(about["tensors"])), ("lora", 3, 8))
        self.assertEqual(about["parameters"], 2 * (3 * 32 + 32 * 3 + 3 * 32 + 16 * 3))
        self.assertIn("lora_A", run("inspect", self.folder / "lora")[0])


if __name__ == "__main__":
    programs.main()
