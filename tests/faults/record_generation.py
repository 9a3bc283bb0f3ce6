#!/usr/bin/env python3
"""Records generation_cases.json: what transformers' own generate writes for the models of generation_test.py under many generation configurations.

    pip install torch transformers        # recorded with transformers 5.23
    python record_generation.py > generation_cases.json
"""

import json
import os
import pathlib
import random
import sys
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"
import torch  # noqa: E402
import transformers as tf  # noqa: E402

import generation_models  # noqa: E402

tf.logging.set_verbosity_error()
torch.set_num_threads(1)


def written(folder, kind, prompt):
    """The new token ids, or None where transformers refuses."""
    model = (tf.LlamaForCausalLM if kind == "llama" else tf.BartForConditionalGeneration).from_pretrained(folder, dtype=torch.float32).eval()
    ids = torch.tensor([prompt])
    known = {} if "max_length" in keys_of(folder) or "max_new_tokens" in keys_of(folder) else {"max_new_tokens": generation_models.MAX_NEW}
    try:
        out = model.generate(ids, attention_mask=torch.ones_like(ids), **known)[0].tolist()
    except ValueError:
        return None
    return out[len(prompt):] if kind == "llama" else out[1:]


def keys_of(folder):
    own = folder / "generation_config.json"
    return {key for key, value in json.loads((own if own.exists() else folder / "config.json").read_text()).items() if value is not None}


def configuration(draw, kind, frequent):
    """A random generation configuration of keys without random numbers; `frequent` are tokens that the model likes."""
    keys = {"eos_token_id": draw.choice([draw.choice(frequent), draw.sample(frequent, 2), [draw.choice(frequent), 3]])}
    maybe = lambda share: draw.random() < share
    if kind == "bart":
        keys["decoder_start_token_id"] = draw.choice([1, 1, 2, 5])
    if maybe(0.4):
        keys["num_beams"] = draw.choice([2, 3, 4])
        keys["length_penalty"] = draw.choice([0.5, 1.0, 2.0])
        keys["early_stopping"] = draw.choice([True, False, "never"])
    if maybe(0.4):
        keys["forced_bos_token_id"] = draw.choice(frequent)
    if maybe(0.4):
        keys["forced_eos_token_id"] = draw.choice([keys["eos_token_id"] if isinstance(keys["eos_token_id"], int) else keys["eos_token_id"][0], draw.choice(frequent)])
    if maybe(0.3):
        keys["no_repeat_ngram_size"] = draw.choice([1, 2, 3])
    if maybe(0.3):
        keys["repetition_penalty"] = draw.choice([1.3, 0.8])
    if maybe(0.3):
        keys["suppress_tokens"] = draw.sample([token for token in frequent if token not in (keys.get("forced_bos_token_id"), keys.get("forced_eos_token_id"))], 2)
    if maybe(0.2):
        keys["begin_suppress_tokens"] = draw.sample([token for token in frequent if token not in (keys.get("forced_bos_token_id"), keys.get("forced_eos_token_id"))], 2)
    if maybe(0.3):
        keys["bad_words_ids"] = [draw.sample(frequent, draw.choice([1, 2])) for _ in range(3)]
    if maybe(0.5):
        keys[draw.choice(["max_length", "max_new_tokens"])] = draw.choice([6, 9, 14])
    if maybe(0.4):
        keys[draw.choice(["min_length", "min_new_tokens"])] = draw.choice([3, 5, 8])
    if maybe(0.2):
        keys["renormalize_logits"] = True
    return keys


def main():
    draw, cases = random.Random(11), []
    with tempfile.TemporaryDirectory() as scratch:
        for number in range(60):
            kind = draw.choice(["llama", "bart"])
            folder = pathlib.Path(scratch) / str(number)
            prompt = generation_models.write(folder, kind, number % 4, {}, {})
            generation_models.set_keys(folder, {}, {"bos_token_id": 1, **({"decoder_start_token_id": 1} if kind == "bart" else {})})
            frequent = sorted({*written(folder, kind, prompt)} | set(draw.sample(range(10, 90), 6)))
            keys, style = configuration(draw, kind, frequent), draw.choice(["own", "own", "legacy", "both"])
            other = configuration(draw, kind, frequent) if style == "both" else {}
            config, own = (keys, None) if style == "legacy" else (other, keys)
            generation_models.set_keys(folder, config, own)
            cases.append({"kind": kind, "seed": number % 4, "config": config, "own": own, "tokens": written(folder, kind, prompt)})
    print("[")
    print(",\n".join(json.dumps(case) for case in cases))
    print("]")
    print(sum(case["tokens"] is not None for case in cases), "of", len(cases), "written", file=sys.stderr)


if __name__ == "__main__":
    main()
