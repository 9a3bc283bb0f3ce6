#!/usr/bin/env python3
"""Writes transformers_cases.inc: what transformers itself generates from a second-order Markov model whose logits come from integer arithmetic.

    pip install torch transformers        # written with transformers 5.23
    python make_transformers_cases.py > transformers_cases.inc
"""
import random

import torch
import transformers as tf

V, MASK = 13, (1 << 64) - 1


def mix_bits(x):  # SplitMix64's finalizer, as graft/core/random.hpp has it
    x = (x + 0x9E3779B97F4A7C15) & MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def table(seed):
    return torch.tensor([[[(mix_bits(((seed * V + a) * V + b) * V + v) >> 11) * 2.0**-53 * 6 - 3 for v in range(V)] for b in range(V)] for a in range(V)])


class Markov(tf.PreTrainedModel, tf.GenerationMixin):
    config_class = tf.PretrainedConfig
    main_input_name = "input_ids"

    def __init__(self, config, seed):
        super().__init__(config)
        self.table, self.anchor = table(seed), torch.nn.Parameter(torch.zeros(1))
        self.generation_config = tf.GenerationConfig(pad_token_id=0, eos_token_id=None, bos_token_id=None)

    def prepare_inputs_for_generation(self, input_ids, attention_mask=None, **unused):
        return {"input_ids": input_ids}

    def forward(self, input_ids, attention_mask=None, **unused):
        before = torch.cat([torch.zeros_like(input_ids[:, :1]), input_ids[:, :-1]], 1)
        return tf.modeling_outputs.CausalLMOutputWithPast(logits=self.table[before, input_ids])


def run(seed, prompt, beams, **options):
    model = Markov(tf.PretrainedConfig(vocab_size=V, num_hidden_layers=1), seed).eval()
    ids = torch.tensor([prompt])
    beam_options = dict(num_beams=beams) if beams > 1 else {}
    out = model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, use_cache=False, return_dict_in_generate=True, output_scores=True, **beam_options, **options)
    texts, ends = [], options.get("eos_token_id", [])
    for row in out.sequences.tolist():
        text = row[len(prompt):]
        stop = next((i + 1 for i, t in enumerate(text) if t in ends), len(text))
        texts.append(text[:stop])
    return texts, out.sequences_scores.tolist() if beams > 1 else [0.0] * len(texts)


def braces(values):
    return "{" + ", ".join(map(str, values)) + "}"


random.seed(7)
print("// Written by make_transformers_cases.py: {seed, prompt, settings, texts, scores}.")
for case in range(120):
    seed, prompt = case, [random.randrange(1, V) for _ in range(random.randrange(1, 7))]
    options = dict(max_new_tokens=random.choice([1, 4, 9, 16]))
    fields = [f".max_new_tokens = {options['max_new_tokens']}"]
    if random.random() < 0.25:
        options["min_new_tokens"] = random.randint(1, options["max_new_tokens"])
        fields.append(f".min_new_tokens = {options['min_new_tokens']}")
    ends = random.sample(range(1, V), random.choice([0, 1, 1, 2, 3]))
    if ends:
        options["eos_token_id"] = ends
        fields.append(f".end_tokens = {braces(ends)}")
    if random.random() < 0.25:
        options["repetition_penalty"] = random.choice([1.3, 2.0, 0.7])
        fields.append(f".repetition_penalty = {options['repetition_penalty']}")
    if random.random() < 0.25:
        options["no_repeat_ngram_size"] = random.choice([2, 3])
        fields.append(f".no_repeat_ngram = {options['no_repeat_ngram_size']}")
    beams = random.choice([1, 2, 3, 4, 5]) if case % 10 else 8
    early = random.choice([False, False, True, "never"])
    fields.append(f".beams = {beams}")
    if beams > 1:
        options["length_penalty"] = random.choice([0.0, 0.8, 1.0, 1.6, -1.0])
        options["early_stopping"] = early
        options["num_return_sequences"] = random.randint(1, beams)
        name = {False: "heuristic", True: "when_full", "never": "never"}[early]
        fields += [f".length_penalty = {options['length_penalty']}", f".early_stopping = graft::EarlyStopping::{name}", f".sequences = {options['num_return_sequences']}"]
    texts, scores = run(seed, prompt, beams, **options)
    print(f"{{{seed}, {braces(prompt)}, {{{', '.join(fields)}}},\n {{{', '.join(map(braces, texts))}}}, {braces(f'{s:.7g}' for s in scores)}}},")
