#!/usr/bin/env python3
"""Makes tests/parity/goldens: two tiny models, what transformers and PEFT compute with them in float64, and how they train and generate.

    pip install torch transformers peft safetensors
    python tests/parity/make_goldens.py [tests/parity/goldens]

The models have what other goldens may lack. GPT-2: an inner width of its own, the exact GELU. LLaMA: bfloat16 in shards, one key-value head, a tied
head, biases, llama3's scaling of rotary frequencies. One folder a model with model/ (as save_pretrained writes it), case.json and
base.safetensors; one folder a strategy in it with case.json, expected.safetensors and, for PEFT's strategies, adapter/. golden_case.hpp reads them.

"float32" in case.json says how far the same run in float32 is from the golden (tolerance.hpp): logits, step_losses: max|d| / max|golden|; loss: |d| / golden;
grad: ‖d‖ / ‖golden‖ over all trainable parameters; grad_max: max|d| / the largest gradient; trained_max: max|d|; trained_live: max|d| where the first
gradient is above 1e-5 of the largest.
"""
import copy
import json
import math
import os
import shutil
import sys

import peft
import torch
import transformers
from safetensors.torch import save_file
from torch import nn
from torch.overrides import TorchFunctionMode

VOCABULARY, WIDTH, HEADS, LAYERS, POSITIONS, VIRTUAL, STEPS = 29, 16, 2, 2, 40, 3, 4
LENGTHS = [7, 10, 5]
ADAMW = dict(lr=8e-3, betas=[0.8, 0.99], eps=1e-7, weight_decay=0.1)
CLIP, FACTORS = 0.7, [0.5, 1.0, 0.75, 0.5]


class Float64(TorchFunctionMode):
    """transformers asks for float32 inside norms, rotary angles, softmax and the loss; here it gets float64, unless float32 is the default."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if torch.get_default_dtype() is torch.float32:
            return function(*args, **(kwargs or {}))
        if function is torch.Tensor.float:
            return args[0].double()
        wide = lambda value: torch.float64 if value is torch.float32 else value
        return function(*map(wide, args), **{name: wide(value) for name, value in (kwargs or {}).items()})


def noise(shape, seed, deviation):
    """Normal numbers that bfloat16 holds exactly."""
    numbers = torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * deviation
    return numbers.to(torch.bfloat16).double()


def gpt2():
    config = transformers.GPT2Config(
        vocab_size=VOCABULARY, n_embd=WIDTH, n_layer=LAYERS, n_head=HEADS, n_positions=POSITIONS, n_inner=20, activation_function="gelu",
        resid_pdrop=0, embd_pdrop=0, attn_pdrop=0, bos_token_id=1, eos_token_id=2, pad_token_id=0)  # fmt: skip
    return transformers.GPT2LMHeadModel._from_config(config, attn_implementation="eager"), torch.float32


def llama():
    rope = dict(rope_type="llama3", rope_theta=1000.0, factor=4.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=24)
    config = transformers.LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=WIDTH, num_hidden_layers=LAYERS, num_attention_heads=HEADS, num_key_value_heads=1, intermediate_size=22,
        max_position_embeddings=POSITIONS, rope_parameters=rope, attention_bias=True, mlp_bias=True, tie_word_embeddings=True,
        rms_norm_eps=1e-5, bos_token_id=1, eos_token_id=2, pad_token_id=0)  # fmt: skip
    model = transformers.LlamaForCausalLM._from_config(config, attn_implementation="eager")
    model.model.rotary_emb.inv_freq = llama3_frequencies(rope, WIDTH // HEADS, model.model.rotary_emb.inv_freq)
    return model, torch.bfloat16


def llama3_frequencies(rope, width, rounded):
    """As transformers.modeling_rope_utils, which computes them in float32 (`rounded`)."""
    frequencies = []
    for i in range(0, width, 2):
        frequency = rope["rope_theta"] ** (-i / width)
        turns, low, high = rope["original_max_position_embeddings"] * frequency / (2 * math.pi), rope["low_freq_factor"], rope["high_freq_factor"]
        share = min(1.0, max(0.0, (turns - low) / (high - low)))  # of the unscaled frequency
        frequencies.append(share * frequency + (1 - share) * frequency / rope["factor"])
    exact = torch.tensor(frequencies)
    assert torch.allclose(exact, rounded.double(), rtol=1e-5), (exact, rounded)
    return exact


def randomise(model, seed):
    with torch.no_grad():
        for number, (name, parameter) in enumerate(model.named_parameters()):
            gain = parameter.ndim == 1 and name.endswith("weight")
            parameter.copy_(noise(parameter.shape, seed + number, 0.2) + (1.0 if gain else 0.0))
            parameter.copy_(parameter.to(torch.bfloat16).double())


def rows(seed):
    generator, count, longest = torch.Generator().manual_seed(seed), len(LENGTHS), max(LENGTHS)
    ids = torch.randint(3, VOCABULARY, (count, longest), generator=generator)
    mask, labels = torch.zeros(count, longest, dtype=torch.long), torch.full((count, longest), -100)
    for row, length in enumerate(LENGTHS):
        ids[row, length:] = 0
        mask[row, :length] = 1
        labels[row, length // 2 : length] = ids[row, length // 2 : length]
    return dict(input_ids=ids, attention_mask=mask, labels=labels)


def peft_strategies(arch):
    common = dict(task_type="CAUSAL_LM")
    yield "prefix_tuning_mlp", peft.PrefixTuningConfig(**common, num_virtual_tokens=VIRTUAL, prefix_projection=True, encoder_hidden_size=5)
    yield "prompt_tuning", peft.PromptTuningConfig(**common, num_virtual_tokens=VIRTUAL)
    if arch == "gpt2":
        yield "prefix_tuning", peft.PrefixTuningConfig(**common, num_virtual_tokens=VIRTUAL)
        yield "lora", peft.LoraConfig(**common, r=2, lora_alpha=5, target_modules=["c_attn", "mlp.c_proj"], fan_in_fan_out=True)
    else:
        yield "lora", peft.LoraConfig(**common, r=2, lora_alpha=5, target_modules=["k_proj", "o_proj", "gate_proj", "down_proj"])


class Bottleneck(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.down, self.up = nn.Linear(WIDTH, inner), nn.Linear(inner, WIDTH)

    def forward(self, h):
        return h + self.up(nn.functional.gelu(self.down(h)))


def frozen(base):
    return copy.deepcopy(base).requires_grad_(False)


def adapter(base, batch, layers):
    model, units = frozen(base), nn.ModuleDict()
    for number, layer in enumerate(layers(model)):
        unit = units[str(number)] = Bottleneck(3)
        layer.register_forward_hook(lambda _, __, out, unit=unit: (unit(out[0]), *out[1:]) if isinstance(out, tuple) else unit(out))
    with torch.no_grad():
        for number, parameter in enumerate(units.parameters()):
            parameter.copy_(noise(parameter.shape, 400 + number, 0.2))
    return model, dict(units.named_parameters()), lambda: model(**batch)


def infix(base, batch, insert_at):
    """Keys and values, as attention uses them, seen from the token at insert_at on; it and later tokens have their position + VIRTUAL."""
    model, kv_heads = frozen(base), getattr(base.config, "num_key_value_heads", HEADS)
    keys, values = (nn.Parameter(noise((LAYERS, VIRTUAL, kv_heads, WIDTH // HEADS), seed, 0.5)) for seed in (500, 501))
    mask, count, length = batch["attention_mask"].bool(), *batch["input_ids"].shape
    place = torch.arange(length)[None, :]
    behind = place >= torch.tensor(insert_at)[:, None]
    own = torch.tril(torch.ones(length, length, dtype=torch.bool))[None] & mask[:, None, :]
    seen = torch.cat([behind[:, :, None].expand(-1, -1, VIRTUAL), own], dim=2)[:, None]
    additive = torch.zeros(seen.shape).masked_fill(~seen, torch.finfo(torch.get_default_dtype()).min / 2)

    def forward():
        cache = transformers.DynamicCache()
        for layer in range(LAYERS):
            cache.update(*(bank[layer].permute(1, 0, 2)[None].expand(count, -1, -1, -1) for bank in (keys, values)), layer)
        return model(input_ids=batch["input_ids"], attention_mask=additive, position_ids=place + VIRTUAL * behind, past_key_values=cache,
                     labels=batch["labels"], use_cache=True)  # fmt: skip

    return model, {"infix.key": keys, "infix.value": values}, forward


def embedding_infix(base, batch, insert_at):
    """Virtual embeddings that join every row before the token at insert_at."""
    model, tokens = frozen(base), nn.Parameter(noise((VIRTUAL, WIDTH), 600, 0.3))

    def join(sequence, middle):
        return torch.stack([torch.cat([row[:at], middle, row[at:]]) for row, at in zip(sequence, insert_at)])

    def forward():
        return model(inputs_embeds=join(model.get_input_embeddings()(batch["input_ids"]), tokens),
                     attention_mask=join(batch["attention_mask"], torch.ones(VIRTUAL, dtype=torch.long)),
                     labels=join(batch["labels"], torch.full((VIRTUAL,), -100)))  # fmt: skip

    return model, {"embedding": tokens}, forward


def generations(model, batch):
    """Greedy and beam continuations of the rows' sources, one row at a time; the last two with an end token that does occur."""
    runs, tensors = [], {}

    def run(row, **settings):
        source = LENGTHS[row] // 2
        ids = batch["input_ids"][row : row + 1, :source]
        out = model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), do_sample=False, pad_token_id=0, **settings)
        tensors.update({f"gen{len(runs)}.prompt": ids, f"gen{len(runs)}.ids": out})
        runs.append(dict(row=row, **settings))
        return out[0, source:].tolist()

    greedy = run(0, max_new_tokens=8)
    run(1, max_new_tokens=8, num_beams=3, length_penalty=0.6, early_stopping=True)
    end = greedy[min(2, len(greedy) - 1)]
    run(0, max_new_tokens=8, eos_token_id=end)
    run(1, max_new_tokens=9, num_beams=4, length_penalty=1.3, early_stopping=False, eos_token_id=end)
    return runs, tensors


def write(folder, name, case, tensors):
    os.makedirs(folder, exist_ok=True)
    save_file({key: value.detach().contiguous().clone() for key, value in tensors.items()}, os.path.join(folder, name))
    with open(os.path.join(folder, "case.json"), "w") as file:
        json.dump(case, file, indent=1)
        file.write("\n")


def train(trainable, forward):
    """Losses before each step and the parameters after all."""
    parameters, losses = list(trainable.values()), []
    optimizer = torch.optim.AdamW(parameters, **ADAMW)
    for factor in FACTORS:
        loss = forward().loss
        losses.append(loss.item())
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, CLIP)
        optimizer.param_groups[0]["lr"] = ADAMW["lr"] * factor
        optimizer.step()
        optimizer.zero_grad()
    return {"step_losses": torch.tensor(losses), **{"trained." + name: p for name, p in trainable.items()}}


def first_pass(trainable, forward):
    """Logits, loss and gradients."""
    out = forward()
    assert out.loss.dtype == torch.get_default_dtype()
    gradients = torch.autograd.grad(out.loss, list(trainable.values()))
    return dict(logits=out.logits, loss=out.loss.reshape(1), **{"grad." + name: gradient for name, gradient in zip(trainable, gradients)})


def in_float32(build, steps):
    """What `build`'s model computes in float32, and its training where `steps`."""
    torch.set_default_dtype(torch.float32)
    try:
        model, trainable, forward = build()
        model.float()
        for parameter in trainable.values():
            parameter.data = parameter.data.float()
        return dict(first_pass(trainable, forward), **(train(trainable, forward) if steps else {}))
    finally:
        torch.set_default_dtype(torch.float64)


def errors(case, batch, golden, got):
    """The record `float32` of a case; logits count at real and virtual tokens."""
    real, width = batch["attention_mask"].bool(), golden["logits"].shape[1]
    if width > real.shape[1]:
        places = case["insert_at"] if case["method"] == "embedding_infix" else [0] * len(LENGTHS)
        virtual = torch.ones(width - real.shape[1], dtype=torch.bool)
        real = torch.stack([torch.cat([row[:at], virtual, row[at:]]) for row, at in zip(real, places)])
    difference = lambda name: (got[name].double() - golden[name]).detach()
    relative = lambda d, wanted: (d.abs().max() / wanted.abs().max()).item()
    names = [name[5:] for name in golden if name.startswith("grad.")]
    flat = lambda tensors: torch.cat([tensor.detach().flatten() for tensor in tensors])
    gradient, off = flat(golden["grad." + n] for n in names), flat(difference("grad." + n) for n in names)
    result = dict(logits=relative(difference("logits")[real], golden["logits"][real]), loss=relative(difference("loss"), golden["loss"]),
                  grad=(off.norm() / gradient.norm()).item(), grad_max=relative(off, gradient))  # fmt: skip
    if "step_losses" in golden:
        moved, live = flat(difference("trained." + n) for n in names).abs(), gradient.abs() > 1e-5 * gradient.abs().max()
        result.update(step_losses=relative(difference("step_losses"), golden["step_losses"]), trained_max=moved.max().item(), trained_live=(moved * live).max().item())
    return {name: float(f"{value:.3e}") for name, value in result.items()}


def record(folder, case, batch, build, generate):
    """One strategy's case; without its own start and gradients where those are the base model's (full fine-tuning)."""
    model, trainable, forward = build()
    tensors = first_pass(trainable, forward)
    start = {"initial." + name: p.detach().clone() for name, p in trainable.items()}
    if generate:
        case["generation"], generated = generate(model)
        tensors.update(generated)
    tensors.update(train(trainable, forward))
    case["float32"] = errors(case, batch, tensors, in_float32(build, steps=True))
    case.update(steps=STEPS, lr_factors=FACTORS, virtual_tokens=VIRTUAL, trainable=sum(p.numel() for p in trainable.values()), clip_norm=CLIP, **ADAMW,
                torch=torch.__version__, transformers=transformers.__version__, peft=peft.__version__)  # fmt: skip
    if case["method"] == "full":
        start, tensors = {}, {name: tensor for name, tensor in tensors.items() if not name.startswith("grad.")}
    write(folder, "expected.safetensors", case, dict(batch, **start, **tensors))
    losses = tensors["step_losses"].tolist()
    print(f"{folder}: {losses[0]:.6f} -> {losses[-1]:.6f}")


def base_case(folder, arch, base, storage, batch):
    stored = copy.deepcopy(base).to(storage)
    stored.save_pretrained(os.path.join(folder, "model"), max_shard_size="6KB" if storage is torch.bfloat16 else "1GB")
    def build():
        model = copy.deepcopy(base)
        return model, dict(model.named_parameters()), lambda: model(**batch)

    _, trainable, forward = build()
    tensors = first_pass(trainable, forward)
    runs, generated = generations(base, batch)
    case = dict(arch=arch, method="none", generation=runs)
    case["float32"] = errors(case, batch, tensors, in_float32(build, steps=False))
    write(folder, "base.safetensors", case, dict(batch, **tensors, **generated))


def peft_cases(folder, arch, base, batch):
    for number, (method, config) in enumerate(peft_strategies(arch)):
        def build():
            model = peft.get_peft_model(copy.deepcopy(base), copy.deepcopy(config)).double().eval()
            trainable = {name: p for name, p in model.named_parameters() if p.requires_grad}
            with torch.no_grad():  # away from special starts, such as LoRA's B = 0
                for index, parameter in enumerate(trainable.values()):
                    parameter.copy_(noise(parameter.shape, 700 + 50 * number + index, 0.3))
            return model, trainable, lambda: model(**batch)

        out = os.path.join(folder, method)
        build()[0].save_pretrained(os.path.join(out, "adapter"))
        os.remove(os.path.join(out, "adapter", "README.md"))
        record(out, dict(arch=arch, method=method), batch, build, lambda model: generations(model, batch))


def own_cases(folder, arch, base, batch, layers):
    insert_at = [length // 2 - 1 for length in LENGTHS]

    def case(method, build, generate=False):
        record(os.path.join(folder, method), dict(arch=arch, method=method, insert_at=insert_at), batch, build,
               (lambda model: generations(model, batch)) if generate else None)  # fmt: skip

    def some(chosen):
        model = frozen(base)
        return model, {name: p.requires_grad_() for name, p in model.named_parameters() if chosen(name)}, lambda: model(**batch)

    case("infix", lambda: infix(base, batch, insert_at))
    case("embedding_infix", lambda: embedding_infix(base, batch, insert_at))
    case("adapter", lambda: adapter(base, batch, layers), generate=True)
    if arch == "llama":
        case("full", lambda: some(lambda name: True))
        case("bitfit", lambda: some(lambda name: name.endswith("bias")))


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "goldens")
    shutil.rmtree(root, ignore_errors=True)
    torch.set_default_dtype(torch.float64)
    kinds = {"gpt2": (gpt2, lambda model: model.transformer.h), "llama": (llama, lambda model: model.model.layers)}
    for number, (arch, (make, layers)) in enumerate(kinds.items()):
        folder = os.path.join(root, arch)
        base, storage = make()
        base = base.double().eval()
        randomise(base, 1000 * (number + 1))
        batch = rows(10 + number)
        with Float64():
            base_case(folder, arch, base, storage, batch)
            peft_cases(folder, arch, base, batch)
            own_cases(folder, arch, base, batch, layers)


if __name__ == "__main__":
    main()
