"""What PEFT's adapter_config.json says of its modules: followed as PEFT follows it, held against the tensors, refused, or said."""

import json
import shutil

import faults
import tiny_model


class Selections(faults.FaultTest):
    """A LoRA adapter of q_proj and v_proj in two layers, and other words for it."""

    def setUp(self):
        super().setUp()
        self.model = self.folder / "model"
        tiny_model.write_llama(self.model, layers=2, width=16, inner=24, positions=128)
        self.data = self.folder / "data.txt"
        self.data.write_text("".join(f"name : N{i} || N{i} is a pub.\n" for i in range(4)))
        self.adapter = self.trained("lora", "--targets", "q_proj,v_proj")

    def trained(self, method, *more, name="adapter"):
        faults.run("finetune", "--model", self.model, "--train", self.data, "--method", method, "--steps", 2, "--output", self.folder / name, *more)
        return self.folder / name

    def changed(self, adapter=None, **changes):
        copy = self.folder / "changed"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(adapter or self.adapter, copy)
        path = copy / "adapter_config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
        return copy

    def generate(self, adapter, status=0):
        return faults.run("generate", "--model", self.model, "--adapter", adapter, "--prompt", "name : A", "--max-new", 4, status=status)

    def test_what_means_the_same_is_taken(self):
        expected = self.generate(self.adapter)
        for changes in (
            {"target_modules": r".*\.(q_proj|v_proj)"},
            {"target_modules": r"model\.layers\.\d+\.self_attn\.[qv]_proj"},
            {"target_modules": r"^.*?(?:q|v)_proj$", "exclude_modules": r".*mlp.*"},
            {"target_modules": ["q_proj", "v_proj", "k_proj"], "exclude_modules": r".*\bk_proj"},
            {"layers_to_transform": [0, 1], "layers_pattern": "layers"},
            {"layers_to_transform": [0, 1], "layers_pattern": "l.*s"},
            {"target_modules": [f"model.layers.{i}.self_attn.{p}_proj" for i in (0, 1) for p in "qv"], "layers_to_transform": 0},
        ):
            with self.subTest(changes=changes):
                self.assertEqual(self.generate(self.changed(**changes)), expected)

    def test_what_means_others_is_refused(self):
        for changes, says in (
            ({"target_modules": "q_proj|v_proj"}, "leave out"),  # all of a name must match
            ({"target_modules": r".*q_proj"}, "v_proj"),
            ({"target_modules": r".*_proj"}, "k_proj"),
            ({"target_modules": r".*\.(q_proj|v_proj)", "exclude_modules": r".*layers\.1.*"}, "leave out"),
            ({"target_modules": "all-linear"}, "k_proj"),
            ({"target_modules": "All-Linear"}, "k_proj"),
            ({"layers_to_transform": [0]}, "layers.1"),
            ({"target_modules": r".*\.(q_proj|v_proj)", "layers_to_transform": [0, 1]}, "layers_to_transform"),
            ({"layers_pattern": "layers"}, "layers_pattern"),
            ({"rank_pattern": {"q_proj": 4}}, "rank_pattern"),
            ({"alpha_pattern": {"q_proj": 4}}, "alpha_pattern"),
            ({"modules_to_save": ["embed_tokens"]}, "modules_to_save"),
        ):
            with self.subTest(changes=changes):
                err = self.refused("generate", "--model", self.model, "--adapter", self.changed(**changes), "--prompt", "a", says=says)
                self.assertEqual(err.count("\n"), 1, err)

    def test_all_linear(self):
        everything = self.trained("lora", "--targets", "q_proj,k_proj,v_proj,o_proj,gate_proj,up_proj,down_proj", name="everything")
        self.assertEqual(self.generate(self.changed(everything, target_modules="all-linear")), self.generate(everything))

    def test_an_expression_that_python_alone_reads_is_said(self):
        out, err = self.generate(self.changed(target_modules=r"(?i).*\.(Q_PROJ|V_PROJ)"))
        self.assertEqual(out, self.generate(self.adapter)[0])
        self.assertEqual(err.count("not evaluated here"), 1, err)

    def test_look_ahead(self):
        self.assertEqual(self.generate(self.changed(target_modules=r"(?!.*mlp).*\.[qv]_proj")), self.generate(self.adapter))
        self.refused("generate", "--model", self.model, "--adapter", self.changed(target_modules=r"(?!.*\.v_proj).*\.[qv]_proj"), "--prompt", "a", says="leave out")

    def test_modules_of_ia3_that_are_left_out(self):
        adapter = self.trained("ia3", name="ia3")
        config = json.loads((adapter / "adapter_config.json").read_text())
        self.assertEqual(sorted(config["target_modules"]), ["down_proj", "k_proj", "v_proj"])
        for changes, says in (
            ({"target_modules": ["k_proj", "down_proj"]}, "which has no place in this adapter"),
            ({"target_modules": ["k_proj", "down_proj"], "feedforward_modules": r".*down_proj"}, "v_proj"),
            ({"target_modules": ["k_proj"], "feedforward_modules": None}, "leave out"),
            ({"target_modules": ["k_proj", "v_proj"], "feedforward_modules": ["down_proj"]}, "subset of target_modules"),
            ({"feedforward_modules": []}, "down_proj"),  # a vector of inputs, where all are of outputs
            ({"feedforward_modules": [], "target_modules": r".*\.(k_proj|v_proj|down_proj)"}, "down_proj"),
            ({"exclude_modules": ["v_proj"]}, "leave out"),
        ):
            with self.subTest(changes=changes):
                _, err = self.generate(self.changed(adapter, **changes), status=1)
                self.assertIn(says, err)
        for key in ("target_modules", "feedforward_modules"):  # PEFT's own choice for the model, which is this one
            out, err = self.generate(self.changed(adapter, **{key: None}))
            self.assertIn(f"has no {key}", err)
            self.assertEqual(out, self.generate(adapter)[0])
        outputs = self.trained("ia3", "--targets", "k_proj,v_proj", name="outputs")
        self.assertNotIn("feedforward_modules", self.generate(outputs)[1])

    def test_a_choice_of_no_modules_is_refused(self):
        ia3 = self.trained("ia3", name="ia3")
        for adapter in (self.adapter, ia3):
            for nothing in ("", []):
                err = self.refused("generate", "--model", self.model, "--adapter", self.changed(adapter, target_modules=nothing), "--prompt", "a", says="target_modules that names nothing")
                self.assertEqual(err.count("\n"), 1, err)

    def test_a_choice_left_to_peft_is_said(self):
        path = self.changed(target_modules=None) / "adapter_config.json"
        out, err = self.generate(path.parent)
        self.assertEqual(out, self.generate(self.adapter)[0])
        self.assertEqual(err.count("has no target_modules"), 1, err)
        config = json.loads(path.read_text())
        del config["target_modules"]
        path.write_text(json.dumps(config))
        self.assertEqual(self.generate(path.parent), (out, err))

    def test_null_in_the_place_of_a_number(self):
        for key in ("r", "lora_alpha", "lora_dropout"):
            _, err = self.generate(self.changed(**{key: None}), status=1)
            self.assertIn(f'"{key}"', err)
            self.assertIn("got null", err)
        own = self.trained("infix", name="own")
        settings = json.loads((own / "adapter_config.json").read_text())["settings"]
        _, err = self.generate(self.changed(own, settings=None), status=1)
        self.assertIn('"settings"; got null', err)
        for key, value in settings.items():
            if isinstance(value, float):
                _, err = self.generate(self.changed(own, settings={**settings, key: None}))
                self.assertIn(f'has null at the key "settings.{key}"; the default is taken', err)

    def test_expressions_of_ia3(self):
        adapter = self.trained("ia3", name="ia3")
        config = json.loads((adapter / "adapter_config.json").read_text())
        one_of = lambda names: r".*\.(" + "|".join(names) + ")"
        targets, scaled = one_of(config["target_modules"]), one_of(config["feedforward_modules"])
        self.assertEqual(self.generate(self.changed(adapter, target_modules=targets, feedforward_modules=scaled)), self.generate(adapter))
        self.assertIn("feedforward_modules", self.generate(self.changed(adapter, target_modules=targets, feedforward_modules=r".*k_proj"), status=1)[1])


if __name__ == "__main__":
    faults.main()
