#!/usr/bin/env python3
"""The peer of classification.py: the same runs done with transformers + PEFT, as its users write them. Wants torch, transformers and peft.

P-Tuning v2 is PEFT's PREFIX_TUNING, LoRA its LORA, both with SEQ_CLS; BitFit trains the biases and the head, full everything, head the head alone.
A batch goes through the model in two passes of rows of like length, each padded to its longest: the gradient is the batch's, with little padding.
"""

import json
import math
import random
import time

import torch
from peft import LoraConfig, PrefixTuningConfig, TaskType, get_peft_model
from transformers import AutoModelForSequenceClassification, AutoTokenizer, BertModel, get_linear_schedule_with_warmup
from transformers import logging as transformers_logging

from classification import BATCH, CLIP, EPOCHS, LEARNING_RATES, LENGTH, MAX_LENGTH, WARMUP, WEIGHT_DECAY, arguments, read_rows


def accept_past_key_values():
    """transformers 5.24 has renamed the argument that PEFT 0.21 gives a prefix by, and makes BERT's mask without a look at it: this puts both right."""
    forward = BertModel.forward

    def with_prefix(self, input_ids=None, attention_mask=None, past_key_values=None, **others):
        if past_key_values is None:
            return forward(self, input_ids=input_ids, attention_mask=attention_mask, **others)
        seen = attention_mask[:, None, None, :].bool().expand(-1, 1, input_ids.shape[1], -1)  # [rows, 1, queries, prefix and keys]
        return forward(self, input_ids=input_ids, attention_mask=seen, cache=past_key_values, **others)

    BertModel.forward = with_prefix


def build(path, method, labels):
    model = AutoModelForSequenceClassification.from_pretrained(path, num_labels=labels, dtype=torch.float32, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    if method == "prefix":
        return get_peft_model(model, PrefixTuningConfig(task_type=TaskType.SEQ_CLS, num_virtual_tokens=LENGTH))
    if method == "lora":
        return get_peft_model(model, LoraConfig(task_type=TaskType.SEQ_CLS, r=8, lora_alpha=16, target_modules=["query", "value"]))
    for name, parameter in model.named_parameters():
        parameter.requires_grad = method == "full" or name.startswith("classifier.") or (method == "bitfit" and name.endswith(".bias"))
    return model


def passes(tokenizer, rows, size):
    """The rows in passes of like length: inputs, classes."""
    encoded = tokenizer([text for text, _ in rows], truncation=True, max_length=MAX_LENGTH)["input_ids"]
    order = sorted(range(len(rows)), key=lambda i: len(encoded[i]))
    for first in range(0, len(rows), size):
        chosen = order[first : first + size]
        yield tokenizer.pad({"input_ids": [encoded[i] for i in chosen]}, return_tensors="pt"), torch.tensor([rows[i][1] for i in chosen])


def train(model, tokenizer, training, epochs, rate, seed):
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trainable, lr=rate, weight_decay=WEIGHT_DECAY)
    steps = epochs * math.ceil(len(training) / BATCH)
    schedule = get_linear_schedule_with_warmup(optimizer, math.ceil(WARMUP * steps), steps)
    order = random.Random(seed)
    model.train()
    start = time.perf_counter()
    for _ in range(epochs):
        order.shuffle(training)
        for first in range(0, len(training), BATCH):
            batch = training[first : first + BATCH]
            for encoded, labels in passes(tokenizer, batch, BATCH // 2):
                (torch.nn.functional.cross_entropy(model(**encoded).logits, labels, reduction="sum") / len(batch)).backward()
            torch.nn.utils.clip_grad_norm_(trainable, CLIP)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
    return steps, sum(parameter.numel() for parameter in trainable), time.perf_counter() - start


def predict(model, tokenizer, rows):
    """Predicted and right classes."""
    model.eval()
    with torch.inference_mode():
        done = [(model(**encoded).logits.argmax(-1), labels) for encoded, labels in passes(tokenizer, rows, 16)]
    return torch.cat([predicted for predicted, _ in done]).tolist(), torch.cat([labels for _, labels in done]).tolist()


def matthews(predicted, expected):
    """Of two classes."""
    count = lambda p, e: sum(pair == (p, e) for pair in zip(predicted, expected))
    tp, tn, fp, fn = count(1, 1), count(0, 0), count(1, 0), count(0, 1)
    spread = math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    return (tp * tn - fp * fn) / spread if spread else 0.0


def run(a, method, rate, seed):
    training, tuning, validation = read_rows(a.task, a.data)
    scored = tuning if a.split == "tuning" else validation
    torch.manual_seed(seed)
    tokenizer = AutoTokenizer.from_pretrained(a.model)
    model = build(a.model, method, 2)
    start = time.process_time()
    steps, trainable, seconds = train(model, tokenizer, training, EPOCHS[a.task][method], rate, seed)
    predicted, expected = predict(model, tokenizer, scored)
    accuracy = sum(p == e for p, e in zip(predicted, expected)) / len(expected)
    return {"system": "transformers+peft", "task": a.task, "method": method, "lr": rate, "seed": seed, "split": a.split, "rows": len(training), "steps": steps, "scored": len(scored),
            "accuracy": round(accuracy, 4), "matthews": round(matthews(predicted, expected), 4), "seconds": round(seconds, 1),
            "processor_seconds": round(time.process_time() - start, 1), "trainable": trainable}


def main():
    a = arguments(__doc__).parse_args()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    accept_past_key_values()
    for method in a.methods:
        for rate in a.learning_rates or [LEARNING_RATES[a.task][method]]:
            for seed in a.seeds:
                print(json.dumps(run(a, method, rate, seed)), flush=True)


if __name__ == "__main__":
    main()
