#!/usr/bin/env python3
"""Makes tests/real/smollm2_float64.json: the prefix's twenty AdamW steps of fixtures/smollm2 done again by transformers and PEFT, in float64.

    pip install torch transformers==5.23.0 peft==0.21.2 safetensors gguf
    python tests/real/make_smollm2_float64.py SmolLM2-135M-Instruct.Q4_1.gguf FIXTURES/smollm2 [tests/real/smollm2_float64.json]

The fixture holds float32 runs. A flat prefix amplifies rounding, and how much is known only beside the same run in float64: so a test can say of
each step how far another processor's float32 may be from the fixture, and compare its own float64 run closely.
  losses    before each step, in float64
  distance  ‖the fixture's adapter after twenty steps − this run's‖ / ‖the fixture's adapter after twenty steps − its start‖
"""
import json
import os
import sys

import peft
import torch
import transformers
from torch.overrides import TorchFunctionMode


class Float64(TorchFunctionMode):
    """transformers asks for float32 inside norms, rotary angles, softmax and the loss; here it gets float64."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if function is torch.Tensor.float:
            return args[0].double()
        wide = lambda value: torch.float64 if value is torch.float32 else value
        return function(*map(wide, args), **{name: wide(value) for name, value in (kwargs or {}).items()})


def load_base(gguf):
    folder, file = os.path.split(os.path.abspath(gguf))
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, gguf_file=file, dtype=torch.float32, attn_implementation="eager").double()
    rotary, config = model.model.rotary_emb, model.config
    width = config.hidden_size // config.num_attention_heads
    exact = config.rope_parameters["rope_theta"] ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)
    assert torch.allclose(exact, rotary.inv_freq.double(), rtol=1e-6), (exact, rotary.inv_freq)
    rotary.inv_freq = exact
    return model


def load_adapter(gguf, folder):
    model = peft.PeftModel.from_pretrained(load_base(gguf), folder).double().train()
    model.active_peft_config.inference_mode = False  # PEFT loads a prefix for inference only
    for name, parameter in model.named_parameters():
        parameter.requires_grad_("prompt_encoder" in name)
    return model


def batch(record, step, end):
    rows = [record["rows"][(step * record["batch"] + i) % len(record["rows"])] for i in range(record["batch"])]
    length = max(len(row["source_ids"]) + len(row["target_ids"]) for row in rows)
    ids, mask, labels = torch.full((len(rows), length), end), torch.zeros(len(rows), length, dtype=torch.long), torch.full((len(rows), length), -100)
    for i, row in enumerate(rows):
        source, target = row["source_ids"], row["target_ids"]
        whole = len(source) + len(target)
        ids[i, :whole], mask[i, :whole] = torch.tensor(source + target), 1
        labels[i, len(source) : whole] = torch.tensor(target)
    return dict(input_ids=ids, attention_mask=mask, labels=labels)


def numbers(model):
    return torch.cat([p.detach().double().flatten() for _, p in sorted(model.named_parameters()) if p.requires_grad])


def run(gguf, folder, name, record):
    start = os.path.join(folder, name + "_initial")
    after = numbers(load_adapter(gguf, os.path.join(folder, name + "_after20")))
    model, settings = load_adapter(gguf, start), record["runs"][name]
    before = numbers(model)
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=settings["lr"], betas=settings["betas"], eps=settings["eps"], weight_decay=settings["weight_decay"])
    losses = []
    for step, peer in enumerate(settings["losses"]):
        with Float64():
            loss = model(**batch(record, step, model.config.eos_token_id)).loss
        assert loss.dtype == torch.float64
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, settings["clip"])
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
        print(f"{name}, step {step}: {losses[-1]:.9f}; the fixture's float32 differs by {abs(losses[-1] - peer):.1e}", flush=True)
    distance = ((after - numbers(model)).norm() / (after - before).norm()).item()
    return dict(losses=losses, distance=float(f"{distance:.3e}"))


def main():
    gguf, folder = sys.argv[1:3]
    path = sys.argv[3] if len(sys.argv) > 3 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "smollm2_float64.json")
    with open(os.path.join(folder, "smollm2_e2e.json")) as file:
        record = json.load(file)
    result = {name: run(gguf, folder, name, record) for name in ["prefix_tuning"]}
    result.update(torch=torch.__version__, transformers=transformers.__version__, peft=peft.__version__)
    with open(path, "w") as file:
        json.dump(result, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
