#!/usr/bin/env python3
"""The peer of benchmarks/training, benchmarks/generation and benchmarks/gpu: the same work done with transformers + PEFT, as its users write it.

    peft_peer.py prepare  --folder DIR [--model HF_FOLDER | --shape gpt2-small] --method M   writes DIR/model (random weights of a shape) and DIR/M, the adapter's start
    peft_peer.py train    --folder DIR --method M --rows FILE [--batch 10] [--steps 12]
    peft_peer.py generate --folder DIR --method M --rows FILE [--batch 8] [--beams 5] [--new 60]
    peft_peer.py run      --folder DIR --jobs FILE         the jobs of benchmarks/gpu (benchmarks/gpu/jobs.hpp), one after another

    [--device cpu|cuda] [--dtype float32|bfloat16] [--attention eager|sdpa]

Rows are padded to the longest of their batch. The first two steps are not counted. On a GPU the clock waits for its work, and rows are there before it
starts. Prints a JSON line with the keys of graft's programs for each measurement.
"""
import argparse, json, os, resource, statistics, time

import torch
from peft import LoraConfig, PeftConfig, PrefixTuningConfig, PromptTuningConfig, TaskType, get_peft_model, set_peft_model_state_dict
from peft.utils import load_peft_weights
from transformers import AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

# Layers, width, heads, heads of keys and values, inner width, vocabulary, positions: those of benchmarks/support/random_base.hpp.
SHAPES = {"gpt2-small": (12, 768, 12, 12, 3072, 50257, 1024), "gpt2-medium": (24, 1024, 16, 16, 4096, 50257, 1024),
          "gpt2-large": (36, 1280, 20, 20, 5120, 50257, 1024), "smollm2-135m": (30, 576, 9, 3, 1536, 49152, 8192),
          "gpt2-tiny": (2, 32, 2, 2, 64, 128, 256), "llama-tiny": (2, 32, 4, 2, 48, 128, 256)}
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("what", choices=["prepare", "train", "generate", "run"])
parser.add_argument("--folder", required=True)
parser.add_argument("--model")
parser.add_argument("--shape", default="gpt2-small", choices=list(SHAPES))
parser.add_argument("--method", default="prefix", choices=["full", "prefix", "prompt", "lora"])
parser.add_argument("--rows")
parser.add_argument("--jobs")
parser.add_argument("--batch", type=int, default=10)
parser.add_argument("--steps", type=int, default=12)
parser.add_argument("--length", type=int, default=10)
parser.add_argument("--beams", type=int, default=1)
parser.add_argument("--new", type=int, default=60)
parser.add_argument("--learning-rate", type=float, default=5e-5)
parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
parser.add_argument("--dtype", default="float32", choices=list(DTYPES))
parser.add_argument("--attention", choices=["eager", "sdpa"])
args = parser.parse_args()
torch.manual_seed(0)
folder = args.model or os.path.join(args.folder, "model")


def synchronize():
    if args.device == "cuda":
        torch.cuda.synchronize()


def write_random_model():
    layers, width, heads, kv_heads, inner, vocabulary, positions = SHAPES[args.shape]
    if args.shape.startswith("gpt2"):
        model = GPT2LMHeadModel(GPT2Config(n_layer=layers, n_embd=width, n_head=heads, n_inner=inner, vocab_size=vocabulary, n_positions=positions,
                                           bos_token_id=0, eos_token_id=0))
    else:
        model = LlamaForCausalLM(LlamaConfig(num_hidden_layers=layers, hidden_size=width, num_attention_heads=heads, num_key_value_heads=kv_heads,
                                             intermediate_size=inner, vocab_size=vocabulary, max_position_embeddings=positions, rope_theta=100000.0,
                                             tie_word_embeddings=True, bos_token_id=0, eos_token_id=0))
    model.to(DTYPES[args.dtype]).save_pretrained(folder)


def load(dtype):
    chosen = {} if args.attention is None else {"attn_implementation": args.attention}
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=DTYPES[dtype], **chosen)
    for name in ("resid_pdrop", "embd_pdrop", "attn_pdrop"):
        if hasattr(model.config, name):
            setattr(model.config, name, 0.0)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return model


def adapted(model, method, adapter):
    """With the adapter of a folder. Not PeftModel.from_pretrained(…, is_trainable=True), which refuses prefix and prompt tuning."""
    if method != "full":
        config = PeftConfig.from_pretrained(adapter)
        config.inference_mode = False
        model = get_peft_model(model, config)
        set_peft_model_state_dict(model, load_peft_weights(adapter, device="cpu"))
    return model.to(args.device)


def prepare():
    if not args.model and not os.path.isdir(folder):
        write_random_model()
    if args.method == "full":
        return
    model = load("float32")
    gpt2 = model.config.model_type == "gpt2"
    task = TaskType.CAUSAL_LM
    config = {
        "prefix": lambda: PrefixTuningConfig(task_type=task, num_virtual_tokens=args.length),
        "prompt": lambda: PromptTuningConfig(task_type=task, num_virtual_tokens=args.length),
        "lora": lambda: LoraConfig(task_type=task, r=8, lora_alpha=16, target_modules=["c_attn"] if gpt2 else ["q_proj", "v_proj"], fan_in_fan_out=gpt2),
    }[args.method]()
    get_peft_model(model, config).save_pretrained(os.path.join(args.folder, args.method))


def collate(batch, eos):
    longest = max(len(r["source_ids"]) + len(r["target_ids"]) for r in batch)
    ids = torch.full((len(batch), longest), eos)
    mask = torch.zeros((len(batch), longest), dtype=torch.long)
    labels = torch.full((len(batch), longest), -100)
    for i, r in enumerate(batch):
        source, target = r["source_ids"], r["target_ids"]
        n = len(source) + len(target)
        ids[i, :n], mask[i, :n], labels[i, len(source):n] = torch.tensor(source + target), 1, torch.tensor(target)
    return ids.to(args.device), mask.to(args.device), labels.to(args.device)


def train(model, eos, rows, batch, steps, learning_rate):
    model.train()
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=learning_rate)
    times, tokens, losses = [], [], []
    for k in range(steps):
        ids, mask, labels = collate(rows[(k * batch) % len(rows):][:batch], eos)
        synchronize()
        start = time.perf_counter()
        loss = model(input_ids=ids, attention_mask=mask, labels=labels).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        synchronize()
        times.append(time.perf_counter() - start)
        tokens.append(int(mask.sum()))
        losses.append(round(loss.item(), 4))
    return dict(median_step_s=round(statistics.median(times[2:]), 6), tokens_per_s=round(sum(tokens[2:]) / sum(times[2:]), 1), losses=losses,
                trainable=sum(p.numel() for p in model.parameters() if p.requires_grad))


def generate(model, eos, rows, batch, beams, new):
    model.eval()
    prompts = [r["source_ids"] for r in rows[:batch]]
    longest = max(map(len, prompts))
    ids = torch.tensor([[eos] * (longest - len(x)) + x for x in prompts]).to(args.device)
    mask = torch.tensor([[0] * (longest - len(x)) + [1] * len(x) for x in prompts]).to(args.device)
    best = 1e9
    for _ in range(3):
        synchronize()
        start = time.perf_counter()
        with torch.inference_mode():
            model.generate(input_ids=ids, attention_mask=mask, min_new_tokens=new, max_new_tokens=new, num_beams=beams, do_sample=False, pad_token_id=eos)
        synchronize()
        best = min(best, time.perf_counter() - start)
    return dict(beams=beams, new=new, seconds=round(best, 4), tokens_per_s=round(new * len(prompts) / best, 1))


def measure(job):
    rows = json.load(open(job["rows"]))
    if args.device == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    model = adapted(load(job["dtype"]), job["method"], job["adapter"])
    if job["what"] == "train":
        line = train(model, rows["eos"], rows["rows"], job["batch"], job["steps"], job.get("learning_rate", 5e-5))
    else:
        line = generate(model, rows["eos"], rows["rows"], job["batch"], job.get("beams", 1), job["new"])
    if args.device == "cuda":
        line["peak_gpu_mb"] = torch.cuda.max_memory_allocated() >> 20
    return line


if args.what == "prepare":
    prepare()
elif args.what == "run":
    for job in json.load(open(args.jobs)):
        try:
            line = measure(job)
        except Exception as error:  # such as a job that does not fit into memory: the next may
            line = dict(error=f"{type(error).__name__}: {error}".splitlines()[0])
        print(json.dumps(job | dict(peer="transformers+peft") | line), flush=True)
else:
    job = dict(what=args.what, method=args.method, dtype=args.dtype, rows=args.rows, batch=args.batch, steps=args.steps, beams=args.beams, new=args.new,
               learning_rate=args.learning_rate, adapter=os.path.join(args.folder, args.method))
    line = measure(job)
    print(json.dumps(dict(peer="transformers+peft", what=args.what, method=args.method, dtype={"float32": "fp32"}.get(args.dtype, args.dtype),
                          batch=args.batch, device=args.device) | line |
                     dict(peak_rss_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, threads=torch.get_num_threads())))
