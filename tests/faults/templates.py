"""What the tests of templates share: a tiny LLaMA to train, and what stands around a text in its tokenizer and in an adapter's folder."""

import json

from faults import FaultTest, run  # first: it says where tiny_model lies
import tiny_model

END, BEGIN = "<|end|>", "<|begin|>"


def lines_of(text):
    return text.removesuffix("\n").split("\n")


def written(*arguments):
    """The objects that generate prints."""
    return [json.loads(line) for line in run("generate", *arguments, "--json")[0].rstrip("\n").split("\n")]


def template_of(folder):
    return json.loads((folder / "graft_template.json").read_text())


def set_template(model, before=(), behind=()):
    """Gives a tiny model's tokenizer special tokens around a text; a beginning token is added where it is named."""
    path = model / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    ids = {END: tokenizer["model"]["vocab"][END], BEGIN: 0}  # the byte "!" serves as the beginning token
    tokenizer["added_tokens"] = [one for one in tokenizer["added_tokens"] if one["id"] != 0]
    tokenizer["added_tokens"].append({**tokenizer["added_tokens"][0], "id": 0, "content": "!"})
    piece = lambda name: {"SpecialToken": {"id": name, "type_id": 0}}
    single = [*map(piece, before), {"Sequence": {"id": "A", "type_id": 0}}, *map(piece, behind)]
    tokenizer["post_processor"] = {"type": "TemplateProcessing", "single": single, "pair": [*single, {"Sequence": {"id": "B", "type_id": 1}}],
                                   "special_tokens": {name: {"id": name, "ids": [id], "tokens": [name]} for name, id in ids.items()}}
    path.write_text(json.dumps(tokenizer))
    (model / "tokenizer_config.json").write_text(json.dumps({"eos_token": END, "bos_token": "!"}))


class LlamaTest(FaultTest):
    """A LLaMA of random weights and two examples to train it on."""

    def setUp(self):
        super().setUp()
        self.model, self.data = self.folder / "model", self.folder / "data.txt"
        tiny_model.write_llama(self.model)
        self.data.write_text("a || b\nc || d\n")

    def train(self, output, *options):
        run("finetune", "--model", self.model, "--train", self.data, "--method", "lora", "--steps", "1", "--output", output, *options)
