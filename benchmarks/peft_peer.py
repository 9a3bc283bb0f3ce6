#!/usr/bin/env python3
"""The peer of benchmarks/training and benchmarks/generation: the same work done with transformers + PEFT, as its users write it.

    peft_peer.py prepare  --folder DIR [--model HF_FOLDER | --shape gpt2-small] --method M   writes DIR/model (random weights of a shape) and DIR/M, the adapter's start
    peft_peer.py train    --folder DIR --method M --rows FILE [--batch 10] [--steps 12]
    peft_peer.py generate --folder DIR --method M --rows FILE [--batch 8] [--beams 5] [--new 60]

Rows are padded to the longest of their batch. The first two steps are not counted. Prints one JSON line with the keys of graft's programs.
"""
import argparse, json, os, resource, statistics, time

import torch
from peft import LoraConfig, PeftConfig, PrefixTuningConfig, PromptTuningConfig, TaskType, get_peft_model, set_peft_model_state_dict
from peft.utils import load_peft_weights
from transformers import AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("what", choices=["prepare", "train", "generate"])
parser.add_argument("--folder", required=True)
parser.add_argument("--model")
parser.add_argument("--shape", default="gpt2-small", choices=["gpt2-small", "gpt2-medium", "gpt2-large"])
parser.add_argument("--method", default="prefix", choices=["full", "prefix", "prompt", "lora"])
parser.add_argument("--rows")
parser.add_argument("--batch", type=int, default=10)
parser.add_argument("--steps", type=int, default=12)
parser.add_argument("--length", type=int, default=10)
parser.add_argument("--beams", type=int, default=1)
parser.add_argument("--new", type=int, default=60)
parser.add_argument("--learning-rate", type=float, default=5e-5)
args = parser.parse_args()
torch.manual_seed(0)

folder = args.model or os.path.join(args.folder, "model")
if args.what == "prepare" and not args.model and not os.path.isdir(folder):
    layers, width, heads = {"gpt2-small": (12, 768, 12), "gpt2-medium": (24, 1024, 16), "gpt2-large": (36, 1280, 20)}[args.shape]
    GPT2LMHeadModel(GPT2Config(n_layer=layers, n_embd=width, n_head=heads)).save_pretrained(folder)
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
for name in ("resid_pdrop", "embd_pdrop", "attn_pdrop"):
    if hasattr(model.config, name):
        setattr(model.config, name, 0.0)
for module in model.modules():
    if isinstance(module, torch.nn.Dropout):
        module.p = 0.0
gpt2 = model.config.model_type == "gpt2"
adapter = os.path.join(args.folder, args.method)

if args.what == "prepare":
    if args.method != "full":
        task = TaskType.CAUSAL_LM
        config = {
            "prefix": lambda: PrefixTuningConfig(task_type=task, num_virtual_tokens=args.length),
            "prompt": lambda: PromptTuningConfig(task_type=task, num_virtual_tokens=args.length),
            "lora": lambda: LoraConfig(task_type=task, r=8, lora_alpha=16, target_modules=["c_attn"] if gpt2 else ["q_proj", "v_proj"], fan_in_fan_out=gpt2),
        }[args.method]()
        get_peft_model(model, config).save_pretrained(adapter)
    raise SystemExit

if args.method != "full":
    # Not PeftModel.from_pretrained(…, is_trainable=True), which refuses prefix and prompt tuning.
    config = PeftConfig.from_pretrained(adapter)
    config.inference_mode = False
    model = get_peft_model(model, config)
    set_peft_model_state_dict(model, load_peft_weights(adapter, device="cpu"))
rows_file = json.load(open(args.rows))
eos, rows = rows_file["eos"], rows_file["rows"]


def collate(batch):
    longest = max(len(r["source_ids"]) + len(r["target_ids"]) for r in batch)
    ids = torch.full((len(batch), longest), eos)
    mask = torch.zeros((len(batch), longest), dtype=torch.long)
    labels = torch.full((len(batch), longest), -100)
    for i, r in enumerate(batch):
        source, target = r["source_ids"], r["target_ids"]
        n = len(source) + len(target)
        ids[i, :n], mask[i, :n], labels[i, len(source):n] = torch.tensor(source + target), 1, torch.tensor(target)
    return ids, mask, labels


out = dict(peer="transformers+peft", what=args.what, method=args.method, dtype="fp32", batch=args.batch, device="cpu")
if args.what == "train":
    model.train()
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=args.learning_rate)
    times, tokens, losses = [], [], []
    for k in range(args.steps):
        ids, mask, labels = collate(rows[(k * args.batch) % len(rows):][: args.batch])
        start = time.perf_counter()
        loss = model(input_ids=ids, attention_mask=mask, labels=labels).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        times.append(time.perf_counter() - start)
        tokens.append(int(mask.sum()))
        losses.append(round(loss.item(), 4))
    out |= dict(median_step_s=round(statistics.median(times[2:]), 4), tokens_per_s=round(sum(tokens[2:]) / sum(times[2:]), 1), losses=losses,
                trainable=sum(p.numel() for p in model.parameters() if p.requires_grad))
else:
    model.eval()
    batch = [r["source_ids"] for r in rows[: args.batch]]
    longest = max(map(len, batch))
    ids = torch.tensor([[eos] * (longest - len(x)) + x for x in batch])
    mask = torch.tensor([[0] * (longest - len(x)) + [1] * len(x) for x in batch])
    best = 1e9
    for _ in range(3):
        start = time.perf_counter()
        with torch.inference_mode():
            model.generate(input_ids=ids, attention_mask=mask, min_new_tokens=args.new, max_new_tokens=args.new, num_beams=args.beams, do_sample=False, pad_token_id=eos)
        best = min(best, time.perf_counter() - start)
    out |= dict(beams=args.beams, new=args.new, seconds=round(best, 3), tokens_per_s=round(args.new * args.batch / best, 1))
out |= dict(peak_rss_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, threads=torch.get_num_threads())
print(json.dumps(out))
