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
    """The texts and, for beams, their scores."""
    model = Markov(tf.PretrainedConfig(vocab_size=V, num_hidden_layers=1), seed).eval()
    ids = torch.tensor([prompt])
    beam_options = dict(num_beams=beams) if beams > 1 else {}
    out = model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, use_cache=False, return_dict_in_generate=True, output_scores=True, **beam_options, **options)
    texts, ends = [], options.get("eos_token_id", [])
    for row in out.sequences.tolist():
        text = row[len(prompt):]
        stop = next((i + 1 for i, t in enumerate(text) if t in ends), len(text))
        texts.append(text[:stop])
    if beams == 1:
        return texts, [0.0] * len(texts)
    possible = [i for i, score in enumerate(out.sequences_scores.tolist()) if score > -1e8]  # below: fillers of beams that do not exist
    return [texts[i] for i in possible], [out.sequences_scores[i].item() for i in possible]


def braces(values):
    return "{" + ", ".join(map(str, values)) + "}"


def processors(options, fields, prompt):
    """Forced and suppressed tokens, bad words and renormalisation, at random; a forced first token needs a prompt of one, as a decoder's start token is."""
    chain = []
    end = options.get("eos_token_id", [V - 1])
    if len(prompt) == 1 and random.random() < 0.6:
        options["forced_bos_token_id"] = random.randrange(1, V)
        chain.append(f"graft::force_first({options['forced_bos_token_id']})")
    if random.random() < 0.6:
        options["forced_eos_token_id"] = random.choice([*end, *end, random.randrange(1, V)])
        chain.append(f"graft::force_last({options['forced_eos_token_id']}, {options['max_new_tokens']})")
    forced = {options.get("forced_bos_token_id"), options.get("forced_eos_token_id")}
    if random.random() < 0.4:
        options["bad_words_ids"] = [random.sample(range(1, V), random.choice([1, 2, 2, 3])) for _ in range(random.randint(1, 4))]
        if random.random() < 0.5:
            options["bad_words_ids"].append([end[0]])
        fields.append(f".bad_words = {braces(map(braces, options['bad_words_ids']))}")
    allowed = [token for token in range(1, V) if token not in forced]
    if random.random() < 0.3:
        options["suppress_tokens"] = random.sample(allowed, random.randint(1, 3))
        chain.append(f"graft::suppress({braces(options['suppress_tokens'])})")
    if random.random() < 0.3:
        options["begin_suppress_tokens"] = random.sample(allowed, random.randint(1, 4))
        chain.append(f"graft::suppress_first({braces(options['begin_suppress_tokens'])}, {str('forced_bos_token_id' in options).lower()})")
    if random.random() < 0.2:
        options["renormalize_logits"] = True
        chain.append("graft::renormalise()")
    if chain:
        fields.append(f".processors = {braces(chain)}")


random.seed(7)
print("// Written by make_transformers_cases.py: {seed, prompt, settings, texts, scores}.")
for case in range(220):  # the last hundred with processors
    more = case >= 120
    seed, prompt = case, [random.randrange(1, V) for _ in range(random.choice([1, 1, 3]) if more else random.randrange(1, 7))]
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
    if more:
        processors(options, fields, prompt)
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
