"""What a checkpoint says of its generation (generation_config.json, or config.json without one) is followed as transformers 5 follows it, refused, or said."""

import json
import unittest

import faults
import generation_models
import tiny_model
from faults import FaultTest, run, run_json

CHARACTERS = "____" + "".join(chr(byte) for byte in range(32, 127))
CASES = json.loads((faults.TESTS / "faults" / "generation_cases.json").read_text())


def ends_of(case):
    ends = (case["own"] if case["own"] is not None else case["config"])["eos_token_id"]
    return ends if isinstance(ends, list) else [ends]


def letters(tokens):
    """The text of the byte-level tokenizer of tiny_model."""
    alphabet = tiny_model.byte_alphabet()
    pieces = ["Ġa", "is", "Ġis", "pu", "pub", "na", "nam", "name", "ty", "typ", "type"]
    text = "".join((alphabet + pieces)[token] for token in tokens if token < len(alphabet) + len(pieces))
    values = [*range(33, 127), *range(161, 173), *range(174, 256)]
    values += [byte for byte in range(256) if byte not in values]
    return bytes(values[alphabet.index(letter)] for letter in text).decode("utf-8", errors="replace")


class Sequences(FaultTest):
    def test_more_texts_than_beams(self):
        model = self.folder / "model"
        tiny_model.write_llama(model)
        (model / "generation_config.json").write_text(json.dumps({"num_beams": 2, "num_return_sequences": 3}))
        generate = ("generate", "--model", model, "--prompt", "a", "--max-new", 2)
        err = self.refused(*generate, says=("generation_config.json] has num_return_sequences 3, more than num_beams 2", "hint: --sequences"))
        self.assertEqual(err.count("\n"), 1, err)
        self.refused(*generate, "--beams", 2, says="has num_return_sequences 3, more than --beams 2")
        self.refused(*generate, "--sequences", 4, says=("--sequences got 4, more than the 2 beams of num_beams in ", "generation_config.json"), status=2)
        self.refused(*generate, "--sequences", 4, "--beams", 3, says="--sequences got 4, more than the 3 beams of --beams", status=2)
        run(*generate, "--sequences", 2)


class Recorded(FaultTest):
    """Sixty random configurations, with what transformers 5.23 wrote (record_generation.py)."""

    def limit(self, case):
        keys = case["own"] if case["own"] is not None else case["config"]
        return [] if "max_length" in keys or "max_new_tokens" in keys else ["--max-new", generation_models.MAX_NEW]

    def check(self, kind, program):
        for number, case in enumerate(CASES):
            if case["kind"] != kind:
                continue
            with self.subTest(number=number, **{key: case[key] for key in ("config", "own")}):
                folder = self.folder / str(number)
                generation_models.write(folder, kind, case["seed"], case["config"], case["own"])
                finished = case["tokens"][-1] in ends_of(case)
                program(folder, case, case["tokens"][:-1] if finished else case["tokens"], finished)

    def test_llama(self):
        def generate(folder, case, tokens, finished):
            line = run_json("generate", "--model", folder, "--prompt", generation_models.SOURCE, *self.limit(case))
            self.assertEqual((line["tokens"], line["finished"]), (len(case["tokens"]), finished))
            self.assertEqual(line["text"], letters(tokens))

        self.check("llama", generate)

    def test_bart(self):
        def seq2seq(folder, case, tokens, finished):
            (folder / "test.tsv").write_text(generation_models.SOURCE + "\tx\n")
            run("seq2seq", "--model", folder, "--test", folder / "test.tsv", "--predictions", folder / "out.txt", *self.limit(case))
            expected = "".join(CHARACTERS[token] for token in tokens if token > 3)
            line = (folder / "out.txt").read_text().removesuffix("\n")
            self.assertIn(line, (expected, expected.replace("\\", "\\\\")))

        self.check("bart", seq2seq)


class Reports(FaultTest):
    def test_b02_every_end_of_the_list_ends(self):
        line = run_json("generate", "--model", self.report("b02") / "model", "--prompt", "pig", "--max-new", 40)
        self.assertEqual((line["tokens"], line["finished"]), (24, True))

    def test_b02_the_list_of_config_json_alone(self):
        model = self.report("b02") / "model"
        (model / "generation_config.json").unlink()
        line = run_json("generate", "--model", model, "--prompt", "pig", "--max-new", 40)
        self.assertEqual((line["tokens"], line["finished"]), (24, True))

    def test_b02_generation_config_comes_before_config_json(self):
        model = self.report("b02") / "model"
        change(model / "generation_config.json", eos_token_id=98)
        line = run_json("generate", "--model", model, "--prompt", "pig", "--max-new", 40)
        self.assertEqual((line["tokens"], line["finished"]), (40, False))

    def test_b02_an_end_outside_the_vocabulary_is_said(self):
        model = self.report("b02") / "model"
        change(model / "generation_config.json", eos_token_id=[99, 5000])
        out, err = run("generate", "--model", model, "--prompt", "pig", "--max-new", 40, "--json")
        self.assertEqual(json.loads(out)["tokens"], 24)
        self.assertIn("5000", err)

    def test_b02_compare_ends_there_too(self):
        model, lines = self.report("b02") / "model", self.folder / "lines.tsv"
        lines.write_text("".join(f"{source}\t{source}s\n" for source in ("pig", "cow", "hen", "dog", "cat", "fox", "bee", "ant", "owl", "elk", "emu", "yak")))
        tested = self.folder / "tested.tsv"
        tested.write_text("pig\tpigs\nsow\tsows\n")
        lines.write_text("".join(line for line in lines.read_text().splitlines(True) if not line.startswith("pig")))
        report = run_json("compare", "--model", model, "--data", lines, "--test", tested, "--methods", "none", "--separator", "", "--max-new", 40, "--out", self.folder / "report", "--quick")
        (self.folder / "sources.txt").write_text("pig\n")
        text = run("generate", "--model", model, "--sources", self.folder / "sources.txt", "--separator", "", "--max-new", 40)[0].rstrip("\n")
        self.assertIn(text, next(row for row in report["rows"] if row["method"] == "none")["outputs"])

    def test_b03_the_first_token_is_forced(self):
        line = run_json("generate", "--model", self.report("b03") / "model", "--prompt", "pig", "--max-new", 8)
        self.assertEqual((line["text"], line["tokens"], line["finished"]), ("IIIIII", 8, True))

    def test_b03_config_json_is_not_asked_beside_generation_config(self):
        model = self.report("b03") / "model"
        change(model / "config.json", forced_bos_token_id=101)
        change(model / "generation_config.json", forced_bos_token_id=None)
        line = run_json("generate", "--model", model, "--prompt", "pig", "--max-new", 8)
        self.assertEqual((line["text"], line["tokens"]), ("IIIIIII", 8))


def change(path, **keys):
    path.write_text(json.dumps({**json.loads(path.read_text()), **keys}))


class Defaults(FaultTest):
    def model(self, **own):
        generation_models.write(self.folder / "model", "llama", 1, {}, {"eos_token_id": 267, **own})
        return self.folder / "model"

    def generate(self, model, *options):
        out, err = run("generate", "--model", model, "--prompt", "pig", "--json", *options)
        return [json.loads(line) for line in out.splitlines()], err

    def test_what_the_file_gives_is_said_and_is_what_the_options_give(self):
        model = self.model(num_beams=3, length_penalty=0.3, no_repeat_ngram_size=2, max_new_tokens=9, early_stopping=True)
        by_file, err = self.generate(model)
        for text in ("generation_config.json", "beams 3", "length-penalty 0.3", "no-repeat-ngram 2", "max-new 9", "early-stopping true"):
            self.assertIn(text, err)
        by_options, err = self.generate(model, "--generation-defaults", "off", "--beams", 3, "--length-penalty", 0.3, "--no-repeat-ngram", 2, "--max-new", 9, "--early-stopping", "true")
        self.assertNotIn("gives", err)
        self.assertEqual(by_file, by_options)
        over, err = self.generate(model, "--greedy", "--max-new", 5, "--no-repeat-ngram", 0)
        self.assertEqual(over[0]["tokens"], 5)
        self.assertNotIn("gives", err)

    def test_sampling_has_the_files_temperature_and_the_seed(self):
        model = self.model(do_sample=True, temperature=0.7, top_p=0.9, max_new_tokens=9)
        by_file, err = self.generate(model, "--seed", 5)
        for text in ("do_sample", "temperature 0.7", "top-p 0.9", "top-k 50"):
            self.assertIn(text, err)
        self.assertEqual(by_file, self.generate(model, "--generation-defaults", "off", "--sample", "--temperature", 0.7, "--top-p", 0.9, "--top-k", 50, "--max-new", 9, "--seed", 5)[0])
        self.assertNotEqual(by_file, self.generate(model, "--seed", 6)[0])
        self.assertNotEqual(by_file, self.generate(model, "--greedy")[0])

    def test_several_texts(self):
        lines, err = self.generate(self.model(num_beams=3, num_return_sequences=2, max_new_tokens=4))
        self.assertEqual(len(lines), 2)
        self.assertIn("sequences 2", err)

    def test_what_cannot_be_followed_is_refused_by_name(self):
        always = {"encoder_repetition_penalty": 1.2, "encoder_no_repeat_ngram_size": 2, "guidance_scale": 1.5, "exponential_decay_length_penalty": [5, 1.1], "sequence_bias": [[[5], 1.0]],
                  "stop_strings": ["a"], "constraints": [1], "force_words_ids": [[5]], "dola_layers": "low", "max_time": 1.0, "token_healing": True, "watermarking_config": {"seeding_scheme": "lefthash"},
                  "penalty_alpha": 0.6}
        for key, value in always.items():
            with self.subTest(key):
                model = self.model(**{key: value})
                self.refused("generate", "--model", model, "--prompt", "pig", says=(key, "generation_config.json", "--generation-defaults off"))
                self.generate(model, "--generation-defaults", "off", "--max-new", 2)

    def test_what_matters_for_another_search_is_no_fault(self):
        for key, value, search in (("typical_p", 0.5, {"do_sample": True}), ("epsilon_cutoff", 0.01, {"do_sample": True}), ("eta_cutoff", 0.01, {"do_sample": True}), ("top_h", 0.4, {"do_sample": True}),
                                   ("num_beam_groups", 2, {"num_beams": 4}), ("diversity_penalty", 0.5, {"num_beams": 4})):
            with self.subTest(key):
                self.generate(self.model(**{key: value}), "--max-new", 2)
                self.refused("generate", "--model", self.model(**{key: value}, **search), "--prompt", "pig", says=key)

    def test_neutral_values_and_idle_keys_are_silent(self):
        _, err = self.generate(self.model(typical_p=1.0, repetition_penalty=1.0, guidance_scale=None, diversity_penalty=0.0, num_beam_groups=1, num_beams=1, temperature=0.6, use_cache=False, pad_token_id=0,
                                          transformers_version="4.40.0", encoder_repetition_penalty=1.0, output_scores=False, max_length=None), "--max-new", 2)
        self.assertEqual(err, "")

    def test_an_unknown_key_is_said_once(self):
        _, err = self.generate(self.model(repetition_penalti=1.3), "--max-new", 2)
        self.assertEqual(err.count("repetition_penalti"), 1)

    def test_seq2seq_says_that_it_writes_one_text_alone(self):
        generation_models.write(self.folder / "bart", "bart", 1, {}, {"eos_token_id": 2, "num_beams": 3, "num_return_sequences": 2, "max_new_tokens": 4})
        (self.folder / "test.tsv").write_text("ab\tx\n")
        arguments = ("seq2seq", "--model", self.folder / "bart", "--test", self.folder / "test.tsv", "--json")
        out, err = run(*arguments)
        self.assertEqual(err.count("num_return_sequences 2, which is not followed"), 1, err)
        change(self.folder / "bart/generation_config.json", num_return_sequences=1)
        again, err = run(*arguments)
        self.assertNotIn("num_return_sequences", err)
        self.assertEqual(json.loads(out)["bleu"], json.loads(again)["bleu"])
        change(self.folder / "bart/generation_config.json", num_return_sequences=2)
        self.assertNotIn("num_return_sequences", run(*arguments, "--generation-defaults", "off")[1])

    def test_a_beam_search_that_draws_is_refused(self):
        self.refused("generate", "--model", self.model(do_sample=True, num_beams=2), "--prompt", "pig", says=("do_sample", "num_beams"))

    def test_wrong_values_are_refused_by_name(self):
        for key, value in (("eos_token_id", "x"), ("num_beams", "4"), ("early_stopping", "soon"), ("bad_words_ids", [5]), ("bad_words_ids", [[99999]]), ("max_length", 2.5), ("forced_eos_token_id", [5, 6])):
            with self.subTest(key=key, value=value):
                self.refused("generate", "--model", self.model(**{key: value}), "--prompt", "pig", says=key)
        self.refused("generate", "--model", self.model(max_length=3), "--prompt", "pig", says=("max_length 3", "--max-new"))

    def test_values_without_effect_are_refused_or_said(self):
        for key, value in (("num_beams", 0), ("no_repeat_ngram_size", -1), ("max_new_tokens", 0), ("min_new_tokens", -1), ("bad_words_ids", [[]])):
            with self.subTest(key=key, value=value):
                model = self.model(**{key: value})
                self.refused("generate", "--model", model, "--prompt", "pig", says=(key, "--generation-defaults off"))
                self.generate(model, "--generation-defaults", "off", "--max-new", 2)
        for key in ("suppress_tokens", "begin_suppress_tokens"):
            _, err = self.generate(self.model(**{key: [5000, -1]}), "--max-new", 2)
            for token in (5000, -1):
                self.assertIn(f"has the id {token} at the key {key}, which is left out", err)
            self.assertNotIn(f"2 {key}", err)
            self.assertIn(f"1 {key}", self.generate(self.model(**{key: [5, 5000]}), "--max-new", 2)[1])

    def test_cut_sources_are_said(self):
        (self.folder / "sources.txt").write_text("abcdefgh\nabcdefghi\na\n")
        _, err = run("generate", "--model", self.model(), "--sources", self.folder / "sources.txt", "--max-source", 4, "--max-new", 2)
        self.assertIn("cut to the maximum lengths: 2 sources, 0 targets", err)

    def test_max_length_counts_each_prompt_and_ends_with_the_model(self):
        model = self.model(max_length=12, eos_token_id=[267])
        (self.folder / "sources.txt").write_text("a\nbcd\nefghij\n")
        out, _ = run("generate", "--model", model, "--sources", self.folder / "sources.txt", "--separator", "", "--json")
        for line in map(json.loads, out.splitlines()):
            if not line["finished"]:
                self.assertEqual(line["tokens"], 12 - len(line["source"]))
        model = self.model(max_length=100000)
        self.assertLessEqual(self.generate(model)[0][0]["tokens"], 510)

    def test_an_adapter_ends_with_the_end_of_its_training_too(self):
        model = self.model(eos_token_id=40)
        (self.folder / "data.tsv").write_text("".join(f"n{i}\tb\n" for i in range(8)))
        run("finetune", "--model", model, "--data", self.folder / "data.tsv", "--method", "lora", "--output", self.folder / "adapter", "--steps", 60, "--learning-rate", 0.02)
        (self.folder / "sources.txt").write_text("n1\nn2\n")
        out, err = run("generate", "--model", model, "--adapter", self.folder / "adapter", "--sources", self.folder / "sources.txt", "--json", "--max-new", 30)
        self.assertIn("end tokens 40 267", err)
        self.assertTrue(all(json.loads(line)["finished"] for line in out.splitlines()))


if __name__ == "__main__":
    faults.main()
