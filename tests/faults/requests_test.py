"""What users ask for is honoured or refused by name: targets that match nothing, keys of PEFT's configurations, and rows that the model has no room for."""

import json
import os
import shutil
import struct

import faults
import tiny_model
from faults import run, run_json


class Targets(faults.FaultTest):
    def setUp(self):
        super().setUp()
        self.model = self.folder / "tiny"
        tiny_model.write_llama(self.model, positions=96)
        self.data = self.folder / "data.tsv"
        self.data.write_text("".join(f"name : N{i}\tN{i} is a pub.\n" for i in range(8)))

    def test_a_target_that_matches_nothing_is_named_beside_ones_that_match(self):
        b08 = self.report("b08")
        for method, targets, name in (("lora", "lm_head,q_proj", "lm_head"), ("lora", "embed_tokens,q_proj", "embed_tokens"), ("lora", "q_proj,k_prj", "k_prj"), ("ia3", "k_proj,v_prj", "v_prj"), ("lora", "q_proj,norm", "norm"),
                                      ("lora", "q_proj,proj", "proj"), ("lora", "layers.0.self_attn.q_proj,layers.9.self_attn.q_proj", "layers.9.self_attn.q_proj"), ("ia3", "down_proj,down_prj", "down_prj"), ("prefix_lora", "q_proj,k_prj", "k_prj")):
            with self.subTest(f"{method} {targets}"):
                self.refused("finetune", "--model", b08 / "model", "--train", b08 / "train.tsv", "--method", method, "--targets", targets, "--steps", 1, "--output", self.folder / "out", says=(f"got the target {name}, which", "q_proj"))
                self.assertFalse((self.folder / "out").exists())
        for targets in ("lm_head,q_proj", "embed_tokens,q_proj"):
            err = self.refused("finetune", "--model", b08 / "model", "--train", b08 / "train.tsv", "--method", "lora", "--targets", targets, "--output", self.folder / "out", says="hint: FullFineTuning")

    def adapter(self, name, method="lora", **changes):
        """An adapter in PEFT's format whose configuration is then changed."""
        folder = self.folder / name
        original = self.folder / method
        if not original.exists():
            run("finetune", "--model", self.model, "--train", self.data, "--method", method, "--steps", 1, "--output", original)
        shutil.copytree(original, folder)
        path = folder / "adapter_config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
        return folder

    def generate(self, adapter, status=0):
        return run("generate", "--model", self.model, "--adapter", adapter, "--prompt", "name", "--max-new", 4, status=status)

    def test_targets_of_an_adapter_that_match_nothing_are_named(self):
        for number, (changes, says) in enumerate([({"target_modules": ["q_proj", "v_proj", "k_prj"]}, "k_prj"), ({"target_modules": ["q_proj", "v_proj", "lm_head"]}, "lm_head"), ({"layers_to_transform": [0]}, "layers_to_transform"),
                                                  ({"layers_to_transform": [0, 1, 7]}, "7"), ({"exclude_modules": ["v_proj"]}, "exclude_modules"), ({"layers_to_transform": [0, 1], "layers_pattern": "blocks"}, "layers_to_transform")]):
            with self.subTest(**changes):
                self.assertIn(says, self.generate(self.adapter(f"wrong{number}", **changes), status=1)[1])
        for number, changes in enumerate([{"layers_to_transform": [0, 1]}, {"layers_to_transform": [1, 0], "layers_pattern": "layers"}, {"exclude_modules": ["k_proj"]}, {"target_modules": ".*(q|v)_proj"}]):
            with self.subTest(**changes):
                self.assertEqual(self.generate(self.adapter(f"right{number}", **changes))[0], self.generate(self.folder / "lora")[0])
        self.assertIn("v_prj", self.generate(self.adapter("ia3_wrong", "ia3", target_modules=["k_proj", "v_proj", "down_proj", "v_prj"]), status=1)[1])

    def test_keys_that_change_the_computation_are_refused_by_name(self):
        for key, value in (("rank_pattern", {"q_proj": 4}), ("alpha_pattern", {"q_proj": 4}), ("use_dora", True), ("lora_bias", True), ("bias", "lora_only"), ("modules_to_save", ["embed_tokens"]), ("layer_replication", [[0, 1]]),
                           ("target_parameters", ["x"]), ("trainable_token_indices", [1]), ("alora_invocation_tokens", [1]), ("megatron_config", {"a": 1}), ("use_qalora", True), ("init_lora_weights", "pissa")):
            with self.subTest(key):
                self.assertIn(key, self.generate(self.adapter(key, **{key: value}), status=1)[1])

    def test_other_keys_are_without_effect_or_said(self):
        plain = self.generate(self.adapter("plain"))
        self.assertNotIn("warning", plain[1])
        quiet = self.generate(self.adapter("quiet", fan_in_fan_out=True, megatron_core="x", revision="main", loftq_config={"bits": 4}, newer_key=None, another=False, more=[]))
        self.assertEqual((quiet[0], "warning" in quiet[1]), (plain[0], False))
        for method in ("lora", "ia3", "prefix", "prompt", "p_tuning"):
            with self.subTest(method):
                out, err = self.generate(self.adapter(f"new_{method}", method, use_sorcery=3))
                self.assertEqual(err.count('"use_sorcery"'), 1)
                self.assertEqual(out, self.generate(self.folder / method)[0])

    def test_an_unknown_setting_of_our_own_format_is_said(self):
        run("finetune", "--model", self.model, "--train", self.data, "--method", "adapter", "--steps", 1, "--output", self.folder / "own")
        path = self.folder / "own/adapter_config.json"
        config = json.loads(path.read_text())
        config["settings"]["sorcery"] = 1
        path.write_text(json.dumps(config))
        self.assertIn("sorcery", self.generate(self.folder / "own")[1])

    def test_an_unknown_key_of_our_own_format_is_said_wherever_it_stands(self):
        for method, places in (("adapter", {"sorcery": (), "parts": (), "model.sorcery": ("model",)}), ("prefix_lora", {"sorcery": (), "settings": (), "model.sorcery": ("model",), "parts.1.sorcery": ("parts", 1), "parts.0.parts": ("parts", 0)})):
            run("finetune", "--model", self.model, "--train", self.data, "--method", method, "--steps", 1, "--output", self.folder / "own")
            path = self.folder / "own/adapter_config.json"
            text = path.read_text()
            plain = self.generate(self.folder / "own")
            self.assertEqual(plain[1], "")
            for key, place in places.items():
                with self.subTest(f"{method} {key}"):
                    config = inner = json.loads(text)
                    for step in place:
                        inner = inner[step]
                    inner[key.split(".")[-1]] = {"rank": 3}
                    path.write_text(json.dumps(config))
                    out, err = self.generate(self.folder / "own")
                    self.assertEqual(out, plain[0])
                    self.assertEqual(err.count(f'has the key "{key}", which is unknown here'), 1, err)
                    path.write_text(text)

    def test_settings_out_of_range(self):
        for method, *options in (("prefix", "--layers", 3), ("top_layers", "--layers", 3), ("adapter", "--share", 1.5), ("lora", "--dropout", 1)):
            with self.subTest(f"{method} {options}"):
                self.refused("finetune", "--model", self.model, "--train", self.data, "--method", method, *options, "--output", self.folder / "out", says="; expected")


class Values(faults.FaultTest):
    def setUp(self):
        super().setUp()
        self.model, self.data, self.sources = self.folder / "model", self.folder / "data.tsv", self.folder / "sources.txt"
        tiny_model.write_llama(self.model)
        self.data.write_text("a\tb\nc\td\n")
        self.sources.write_text("a\n")

    def test_an_empty_value_is_refused(self):
        """As of a shell variable that is not set."""
        for program, *arguments in (("generate", "--model", self.model, "--prompt", "x", "--adapter", ""), ("generate", "--model", self.model, "--prompt", "x", "--output", ""),
                                    ("finetune", "--model", self.model, "--train", self.data, "--output", self.folder / "out", "--checkpoint", ""),
                                    ("finetune", "--model", self.model, "--train", self.data, "--output", self.folder / "out", "--log", "")):
            self.refused(program, *arguments, says=(arguments[-2], "empty value"), status=2)
        run("generate", "--model", self.model, "--prompt", "x", "--separator", "", "--max-new", 1)

    def test_texts_that_are_not_utf8_are_refused(self):
        odd = os.fsdecode(b"caf\xe9")
        generate, finetune = ("generate", "--model", self.model), ("finetune", "--model", self.model, "--train", self.data, "--method", "prompt", "--output", self.folder / "out")
        for program, *arguments in ((*generate, "--prompt", odd), (*generate, "--prompt", "x", "--separator", odd), (*finetune, "--separator", odd), (*finetune, "--init-text", odd),
                                    ("compare", "--model", self.model, "--out", self.folder / "out", "--separator", odd)):
            with self.subTest(program, option=arguments[-2]):
                self.refused(program, *arguments, says=(arguments[-2], 'got "caf\\xe9"; expected UTF-8'), status=2)
        self.assertFalse((self.folder / "out").exists())
        run("generate", "--model", self.model, "--prompt", "café", "--max-new", 1)

    def test_a_refusal_names_what_is_wrong_in_words_that_people_can_read(self):
        finetune = ("finetune", "--model", self.model, "--train", self.data, "--output", self.folder / "out")
        for says, program, *arguments in (
                ("--bottleneck has no effect beside --share", *finetune, "--method", "adapter", "--share", 0.1, "--bottleneck", 4), ("--init-deviation has no effect beside --init-text", *finetune, "--method", "prefix", "--init-text", "a", "--init-deviation", 0.5),
                ("--init-deviation has no effect with --method prompt", *finetune, "--method", "prompt", "--init-deviation", 0.5), ('--alpha: got "1e300"; expected a number from -3.4e38 to 3.4e38', *finetune, "--method", "lora", "--alpha", "1e300"),
                ("--alpha 0 would make LoRA without effect", *finetune, "--method", "lora", "--alpha", 0), ("--alpha 0 would make LoRA without effect", *finetune, "--method", "prefix_lora", "--alpha", 0),
                ('--batch: got "0"; expected more than 0', *finetune, "--batch", 0), ('--clip: got "-1"; expected 0 or more', *finetune, "--clip", -1), ('--warmup: got "2"; expected 0 to 1', *finetune, "--warmup", 2),
                ('--temperature: got "0"; expected more than 0', "generate", "--model", self.model, "--prompt", "a", "--sample", "--temperature", 0), ('--top-p: got "1.5"; expected 0 to 1', "generate", "--model", self.model, "--prompt", "a", "--sample", "--top-p", 1.5)):
            with self.subTest(says):
                err = self.refused(program, *arguments, says=says, status=2)
                self.assertLess(len(err), 400)
        self.assertFalse((self.folder / "out").exists())

    def test_an_option_without_its_value_or_given_twice(self):
        train = ("finetune", "--model", self.model, "--train", self.data, "--method", "lora", "--output", self.folder / "out")
        for more, says in ((("--targets", ","), "--targets got no value"), (("--steps",), "--steps got no value"), (("--steps", 1, "--steps", 2), "--steps is given more than once"), (("--log", "a", "--log", "b"), "--log is given more than once")):
            self.refused(*train, *more, says=(says, "Run with --help"), status=2)

    def test_an_option_of_a_training_that_changes_nothing_is_said(self):
        bart, bert, classes = self.folder / "bart", self.folder / "bert", self.folder / "classes.tsv"
        tiny_model.write_bart(bart)
        tiny_model.write_bert(bert, ["good", "bad"])
        classes.write_text("good\t1\nbad\t0\n" * 4)
        pairs = self.folder / "some.tsv"
        pairs.write_text("ab\tba\n" * 8)
        for name, model, data in (("finetune", self.model, pairs), ("seq2seq", bart, pairs), ("classify", bert, classes)):
            train = (name, "--model", model, "--train", data, "--validation", data, "--method", "lora", "--batch", 2, "--output", self.folder / f"of_{name}")
            cases = [(("--steps", 4), ("--validate-every", 5), "got --validate-every 5 for 4 steps"), (("--steps", 4), ("--validate-every", 4), None), (("--steps", 4), ("--patience", 2), "got --patience 2, which has no effect"),
                     (("--steps", 4, "--validate-every", 1), ("--patience", 2), None), (("--epochs", 2), ("--patience", 2), None), (("--epochs", 1), ("--patience", 2), "got --patience 2, which has no effect"),
                     (("--steps", 4), ("--warmup", 0.2), "got --warmup 0.2, less than one of 4 steps"), (("--steps", 5), ("--warmup", 0.2), None), (("--steps", 1), ("--rows", 9), "got --rows 9, which leaves nothing out; there are 8"),
                     (("--steps", 1), ("--rows", 8), None)]
            if name == "finetune":
                cases += [(("--steps", 4, "--checkpoint", self.folder / "ck5"), ("--checkpoint-every", 5), "got --checkpoint-every 5 for 4 steps"), (("--steps", 4, "--checkpoint", self.folder / "ck4"), ("--checkpoint-every", 4), None)]
            for settings, option, says in cases:
                with self.subTest(name, settings=settings, option=option):
                    err = run(*train, *settings, *option)[1]
                    self.assertEqual(err.count("warning: [training] got "), 1 if says else 0, err)
                    self.assertIn(says or "", err)

    def test_an_output_does_not_take_the_place_of_an_input(self):
        train = ("finetune", "--model", self.model, "--train", self.data, "--method", "lora", "--steps", 1)
        before = self.data.read_text(), self.sources.read_text(), (self.model / "config.json").read_text()
        self.refused(*train, "--output", self.folder / "out", "--log", self.data, says=("--log would take the place of --train",), status=2)
        self.refused(*train, "--output", self.model, says=("--output would take the place of --model",), status=2)
        self.refused("generate", "--model", self.model, "--sources", self.sources, "--output", self.sources, says=("--output would take the place of --sources",), status=2)
        self.refused("generate", "--model", self.model, "--sources", self.sources, "--output", self.model / "config.json", says=("--output would take the place of --model",), status=2)
        self.assertEqual(before, (self.data.read_text(), self.sources.read_text(), (self.model / "config.json").read_text()))


class ForeignTokens(faults.FaultTest):
    """A token that the tokenizer gives and the model lacks is named with its row before the first step."""

    def rows(self, name, odd, line=2, count=6):
        path = self.folder / name
        path.write_text("".join(odd if number == line else f"a{number}\tb\n" for number in range(1, count + 1)))
        return path

    def test_decoders(self):
        model = self.folder / "model"
        tiny_model.write_llama(model)
        vocabulary = json.loads((model / "config.json").read_text())["vocab_size"]
        settings = json.loads((model / "tokenizer_config.json").read_text())
        (model / "tokenizer_config.json").write_text(json.dumps({**settings, "additional_special_tokens": ["<|new|>"]}))  # gets the next id
        good, source, target = self.rows("good.tsv", "a\tb\n"), self.rows("source.tsv", "a<|new|>\tb\n"), self.rows("target.tsv", "a\tb<|new|>\n")
        out, log = self.folder / "out", self.folder / "log"
        finetune = ("finetune", "--model", model, "--method", "lora", "--steps", 2)
        says = f"has the token {vocabulary} in its"
        for part, *data in (("source.tsv] line 2 " + says + " source", "--train", source), ("target.tsv] line 2 " + says + " target", "--train", target),
                            ("source.tsv] line 2 " + says + " source", "--train", good, "--validation", source), ("target.tsv] line 2 " + says + " target", "--train", good, "--validation", target)):
            for too_long in ("refuse", "cut", "skip"):
                with self.subTest(part, too_long=too_long):
                    err = self.refused(*finetune, *data, "--too-long", too_long, "--output", out, "--log", log, says=(part, f"expected 0 to {vocabulary - 1}"))
                    self.assertNotIn("step", err)
                    self.assertFalse(out.exists() or log.exists())
        self.refused("finetune", "--model", model, "--method", "none", "--train", good, "--validation", source, says="source.tsv] line 2 has the token")
        sources = self.folder / "sources.txt"
        sources.write_text("a\nb\nc<|new|>\n")
        err = self.refused("generate", "--model", model, "--sources", sources, "--batch", 1, "--max-new", 2, "--output", out, says=f"sources.txt] line 3 has the token {vocabulary}; expected")
        self.assertNotIn("1 of", err)
        self.assertFalse(out.exists())
        self.refused("generate", "--model", model, "--prompt", "<|new|>", "--max-new", 2, says=f"has the token {vocabulary}")
        test, fine = self.folder / "test.tsv", self.folder / "fine.tsv"
        test.write_text("x<|new|>\tb\n")
        fine.write_text("x\tb\n")
        for data in (("--data", target, "--test", fine), ("--data", good, "--test", test)):
            err = self.refused("compare", "--model", model, *data, "--rows", 6, "--validation-rows", 1, "--test-sources", 1, "--methods", "lora", "--out", out, "--max-new", 2, says=("line ", f"has the token {vocabulary}"))
            self.assertNotIn("[1/", err)

    def test_encoder_decoders_and_classifiers(self):
        bart, bert = self.folder / "bart", self.folder / "bert"
        tiny_model.write_bart(bart)
        config = json.loads((bart / "config.json").read_text())
        (bart / "config.json").write_text(json.dumps({**config, "grapheme_chars": config["grapheme_chars"] + "é", "phoneme_chars": config["phoneme_chars"] + "é"}))
        tiny_model.write_bert(bert, ["good", "bad"])
        (bert / "vocab.txt").write_text((bert / "vocab.txt").read_text() + "new\n")
        good, source, target = self.rows("good.tsv", "a\tb\n"), self.rows("source.tsv", "é\tb\n"), self.rows("target.tsv", "a\té\n")
        says = f"has the token {config['vocab_size']} in its"
        train = ("seq2seq", "--model", bart, "--method", "lora", "--steps", 1, "--output", self.folder / "out")
        for part, *data in (("source.tsv] line 2 " + says + " source", "--train", source), ("target.tsv] line 2 " + says + " target", "--train", target), ("target.tsv] line 2 " + says + " target", "--train", good, "--validation", target),
                            (f"source.tsv] line 2 has the token {config['vocab_size']}; expected", "--train", good, "--test", source)):
            with self.subTest(part):
                self.assertNotIn("step", self.refused(*train, *data, says=part))
                self.assertFalse((self.folder / "out").exists())
        fine, odd = self.folder / "fine.tsv", self.folder / "odd.tsv"
        fine.write_text("good\t1\nbad\t0\n")
        odd.write_text("good\t1\nbad new\t0\n")
        for data in (("--train", odd), ("--train", fine, "--validation", odd), ("--train", fine, "--test", odd)):
            with self.subTest(data[-2]):
                self.assertNotIn("step", self.refused("classify", "--model", bert, "--method", "lora", "--steps", 1, *data, "--output", self.folder / "out", says="odd.tsv] line 2 has the token 7 in its source; expected 0 to 6"))
                self.assertFalse((self.folder / "out").exists())


class Lengths(faults.FaultTest):
    def test_rows_that_are_too_long_are_named_before_the_first_step(self):
        b09 = self.report("b09")
        common = ("--model", b09 / "model", "--method", "prefix", "--batch", 1, "--epochs", 1, "--output", self.folder / "out")
        for file, line, *data in (("train.tsv", 61, "--train", b09 / "train.tsv"), ("validation.tsv", 1, "--train", b09 / "short.tsv", "--validation", b09 / "validation.tsv")):
            with self.subTest(file):
                err = self.refused("finetune", *common, *data, "--log", self.folder / "log", says=(f"{file}] line {line} is too long", "10 virtual ones", "64 positions"))
                self.assertNotIn("step", err)
                self.assertFalse((self.folder / "log").exists() or (self.folder / "out").exists())
        cut = run_json("finetune", *common, "--train", b09 / "train.tsv", "--too-long", "cut")
        self.assertEqual((cut["too_long"], cut["steps"]), ({"cut": 1, "skipped": 0}, 61))
        skipped = run_json("finetune", *common[:-1], self.folder / "skipped", "--train", b09 / "train.tsv", "--too-long", "skip")
        self.assertEqual((skipped["too_long"], skipped["steps"], skipped["training_examples"]), ({"cut": 0, "skipped": 1}, 60, 60))

    def test_all_prompts_are_looked_at_before_the_first_is_written(self):
        b09 = self.report("b09")
        arguments = ("generate", "--model", b09 / "model", "--sources", b09 / "sources.txt", "--max-new", 8)
        err = self.refused(*arguments, "--output", self.folder / "texts", says=("sources.txt] line 71 is too long", "64 positions"))
        self.assertNotIn("of 72", err)
        self.assertFalse((self.folder / "texts").exists())
        cut, err = run(*arguments, "--too-long", "cut")
        self.assertIn("1 rows cut", err)
        skipped, err = run(*arguments, "--too-long", "skip")
        self.assertIn("1 left out", err)
        self.assertEqual((cut.count("\n"), skipped.count("\n")), (72, 72))
        lines, others = skipped.split("\n"), cut.split("\n")
        self.assertEqual(lines[70], "")
        self.assertEqual([*lines[:70], lines[71]], [*others[:70], others[71]])
        self.assertEqual(json.loads(run(*arguments, "--too-long", "skip", "--json")[0].split("\n")[70])["skipped"], True)

    def test_an_empty_prompt_is_named_before_work_begins(self):
        model = self.folder / "model"
        tiny_model.write_llama(model)
        sources = self.folder / "sources.txt"
        sources.write_text("a\n\nb\n")
        self.refused("generate", "--model", model, "--sources", sources, "--separator", "", "--max-new", 4, says=("sources.txt] line 2", "empty"))

    def test_the_limit_is_exact(self):
        model = self.folder / "model"
        tiny_model.write_llama(model, positions=32)
        for length, virtual, method in ((3, 3, "prefix"), (3, 3, "prompt"), (3, 3, "infix"), (3, 3, "embedding"), (0, 0, "lora")):
            for extra in (0, 1):
                with self.subTest(f"{method} {extra}"):
                    data = self.folder / "data.tsv"  # one token a byte: source, " ->", " " and target, end token; all but the last are read
                    source = "x" * (32 - virtual - 8 + extra)
                    data.write_text(f"ab\tc\n\n{source}\tyyyy\n")
                    arguments = ("finetune", "--model", model, "--train", data, "--separator", "->", "--method", method, *(("--length", length) if length else ()), "--steps", 1, "--batch", 2, "--output", self.folder / f"{method}{extra}")
                    tokens = len(source) + 2 + 1 + 4 + 1
                    if tokens - 1 + virtual > 32:
                        self.refused(*arguments, says=("data.tsv] line 3", "32 positions"))
                    else:
                        run(*arguments)

    def test_what_was_written_before_a_failure_is_kept(self):
        model = self.folder / "model"
        tiny_model.write_llama(model)
        path = model / "model.safetensors"
        data = bytearray(path.read_bytes())
        length = struct.unpack("<Q", data[:8])[0]
        header, values = json.loads(data[8:8 + length]), data[8 + length:]
        begin, end = header["model.embed_tokens.weight"]["data_offsets"]
        header["lm_head.weight"] = {**header["model.embed_tokens.weight"], "data_offsets": [len(values), len(values) + end - begin]}
        values += values[begin:end]  # a head of its own, which stays whole
        at = begin + 4 * 32 * tiny_model.byte_alphabet().index("~")
        values[at:at + 4] = struct.pack("<f", float("nan"))
        text = json.dumps(header).encode()
        path.write_bytes(struct.pack("<Q", len(text)) + text + values)
        config = json.loads((model / "config.json").read_text())
        (model / "config.json").write_text(json.dumps({**config, "tie_word_embeddings": False}))
        sources = self.folder / "sources.txt"
        sources.write_text("a\nb\nc\nd\n~\ne\n")
        texts = self.folder / "texts"
        _, err = run("generate", "--model", model, "--sources", sources, "--batch", 2, "--max-new", 4, "--output", texts, status=1)
        self.assertIn("kept the outputs of the first 4 of 6 sources", err)
        self.assertEqual(texts.read_text().count("\n"), 4)

    def test_encoder_decoders_and_classifiers(self):
        bart, bert = self.folder / "bart", self.folder / "bert"
        tiny_model.write_bart(bart, positions=16)
        tiny_model.write_bert(bert, ["good", "bad"], positions=16)
        pairs, long_source, long_target, classes = (self.folder / name for name in ("pairs.tsv", "source.tsv", "target.tsv", "classes.tsv"))
        pairs.write_text("ab\tAB\nba\tBA\n" * 4)
        long_source.write_text(f"ab\tAB\n{'x' * 15}\tAB\n")  # with its two special tokens 17
        long_target.write_text(f"ab\tAB\nba\t{'x' * 16}\n")
        classes.write_text("good\t1\nbad\t0\n" + "good " * 20 + "\t1\n")
        train = ("seq2seq", "--model", bart, "--method", "lora", "--steps", 1, "--max-new", 8)
        for option in ("--validation", "--test"):
            test = () if option == "--test" else ("--test", pairs)
            self.refused(*train, "--train", pairs, *test, option, long_source, says=("source.tsv] line 2", "16"))
        self.refused(*train, "--train", long_target, "--test", pairs, says=("target.tsv] line 2", "a target of 17 tokens"))
        self.refused("seq2seq", "--model", bart, "--method", "prompt", "--length", 14, "--positions", "shift", "--train", pairs, "--steps", 1, says=("pairs.tsv] line 1", "14 virtual ones"))
        predictions = self.folder / "predictions"
        skipped = run_json(*train, "--train", pairs, "--test", long_source, "--too-long", "skip", "--predictions", predictions)
        self.assertEqual((skipped["too_long"]["skipped"], skipped["test_sources"], predictions.read_text().count("\n")), (1, 1, 2))
        self.assertEqual(run_json(*train, "--train", long_target, "--test", pairs, "--too-long", "cut")["too_long"], {"cut": 1, "skipped": 0})
        classify = ("classify", "--model", bert, "--method", "lora", "--steps", 1, "--train", classes)
        self.refused(*classify, says=("classes.tsv] line 3 is too long", "16"))
        self.assertEqual(run_json(*classify, "--too-long", "cut")["too_long"], {"cut": 1, "skipped": 0})
        tested = run_json(*classify, "--test", classes, "--predictions", predictions, "--too-long", "skip")
        self.assertEqual((tested["too_long"]["skipped"], tested["test_rows"], predictions.read_text().split("\n")[2]), (2, 2, ""))
        self.assertEqual(run_json(*classify, "--max-length", 16)["too_long"], {"cut": 0, "skipped": 0})

    def test_compare_looks_at_every_row_first(self):
        model = self.folder / "model"
        tiny_model.write_llama(model, positions=64)
        data = self.folder / "data.txt"
        data.write_text("".join(f"n {i} || N{i}.\n" for i in range(12)) + f"{'x' * 90} || N.\n")
        arguments = ("compare", "--model", model, "--data", data, "--rows", 13, "--validation-rows", 2, "--test-sources", 1, "--methods", "lora,prompt", "--out", self.folder / "out", "--max-new", 8)
        err = self.refused(*arguments, says=("data.txt] line 13 is too long", "--max-source"))
        self.assertNotIn("[1/", err)


if __name__ == "__main__":
    faults.main()
