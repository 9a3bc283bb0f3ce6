"""Tiny random models as Hugging Face folders: config.json, model.safetensors and a byte-level tokenizer.json. Needs nothing but Python."""

import json
import pathlib
import random
import struct


def byte_alphabet():
    """GPT-2's printable stand-ins for the 256 bytes, in the order of its vocabulary."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + i) for i in range(len(others))]


def write_tokenizer(folder):
    merges = [("Ġ", "a"), ("i", "s"), ("Ġ", "is"), ("p", "u"), ("pu", "b"), ("n", "a"), ("na", "m"), ("nam", "e"), ("t", "y"), ("ty", "p"), ("typ", "e")]
    tokens = byte_alphabet() + [left + right for left, right in merges] + ["<|end|>"]
    vocabulary = {token: i for i, token in enumerate(tokens)}
    end = {"id": vocabulary["<|end|>"], "content": "<|end|>", "special": True, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    tokenizer = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [end], "normalizer": None, "pre_tokenizer": byte_level, "post_processor": None, "decoder": byte_level,
                 "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
                           "vocab": vocabulary, "merges": [" ".join(pair) for pair in merges]}}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps({"eos_token": "<|end|>", "bos_token": "<|end|>"}), encoding="utf-8")
    return len(tokens), end["id"]


def safetensors(tensors):
    """Bytes of a safetensors file; `tensors` maps names to (shape, values)."""
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, (shape, values) in tensors.items():
        packed = struct.pack(f"<{len(values)}f", *values)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(packed)]}
        data += packed
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def write_llama(folder, width=32, layers=2, heads=4, kv_heads=2, inner=48, positions=512, seed=0, **changes):
    """A LLaMA model with tied head; `changes` go into config.json."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary, end = write_tokenizer(folder)
    draw = random.Random(seed)
    normal = lambda *shape: (list(shape), [draw.gauss(0, 0.08) for _ in range(shape[0] * shape[1])])
    ones = lambda: ([width], [1.0] * width)
    kv = width // heads * kv_heads
    tensors = {"model.embed_tokens.weight": normal(vocabulary, width), "model.norm.weight": ones()}
    for layer in range(layers):
        at = f"model.layers.{layer}."
        for name, out, size in (("self_attn.q_proj", width, width), ("self_attn.k_proj", kv, width), ("self_attn.v_proj", kv, width), ("self_attn.o_proj", width, width),
                                ("mlp.gate_proj", inner, width), ("mlp.up_proj", inner, width), ("mlp.down_proj", width, inner)):
            tensors[at + name + ".weight"] = normal(out, size)
        tensors[at + "input_layernorm.weight"] = tensors[at + "post_attention_layernorm.weight"] = ones()
    config = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": width, "num_hidden_layers": layers, "num_attention_heads": heads, "num_key_value_heads": kv_heads,
              "intermediate_size": inner, "max_position_embeddings": positions, "vocab_size": vocabulary, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "tie_word_embeddings": True,
              "hidden_act": "silu", "bos_token_id": end, "eos_token_id": end, **changes}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "model.safetensors").write_bytes(safetensors(tensors))
    return sum(len(values) for _, values in tensors.values())


def _linear(tensors, draw, name, out, size):
    tensors[name + ".weight"] = ([out, size], [draw.gauss(0, 0.08) for _ in range(out * size)])
    tensors[name + ".bias"] = ([out], [0.0] * out)


def _layer_norm(tensors, name, width):
    tensors[name + ".weight"], tensors[name + ".bias"] = ([width], [1.0] * width), ([width], [0.0] * width)


def write_bart(folder, width=32, layers=1, heads=2, inner=48, positions=256, seed=0):
    """A BART whose configuration lists the characters that it reads and writes, in place of a tokenizer."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    characters = "____" + "".join(chr(byte) for byte in range(32, 127))
    vocabulary, draw, tensors = len(characters), random.Random(seed), {}
    normal = lambda rows: ([rows, width], [draw.gauss(0, 0.08) for _ in range(rows * width)])
    tensors["model.shared.weight"] = normal(vocabulary)
    tensors["final_logits_bias"] = ([1, vocabulary], [0.0] * vocabulary)
    for stack in ("encoder", "decoder"):
        at = f"model.{stack}."
        tensors[at + "embed_positions.weight"] = normal(positions + 2)
        _layer_norm(tensors, at + "layernorm_embedding", width)
        for layer in range(layers):
            part = f"{at}layers.{layer}."
            for attention in ("self_attn", "encoder_attn") if stack == "decoder" else ("self_attn",):
                for product in ("q_proj", "k_proj", "v_proj", "out_proj"):
                    _linear(tensors, draw, f"{part}{attention}.{product}", width, width)
                _layer_norm(tensors, f"{part}{attention}_layer_norm", width)
            _linear(tensors, draw, part + "fc1", inner, width)
            _linear(tensors, draw, part + "fc2", width, inner)
            _layer_norm(tensors, part + "final_layer_norm", width)
    config = {"model_type": "bart", "architectures": ["BartForConditionalGeneration"], "d_model": width, "encoder_layers": layers, "decoder_layers": layers, "encoder_attention_heads": heads,
              "decoder_attention_heads": heads, "encoder_ffn_dim": inner, "decoder_ffn_dim": inner, "max_position_embeddings": positions, "vocab_size": vocabulary,
              "activation_function": "gelu", "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0, "decoder_start_token_id": 1, "is_encoder_decoder": True, "scale_embedding": False,
              "grapheme_chars": characters, "phoneme_chars": characters}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "model.safetensors").write_bytes(safetensors(tensors))


def write_bert(folder, words, width=32, layers=2, heads=2, inner=48, positions=64, seed=0):
    """A BERT without a classifier whose vocabulary is `words`."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]
    (folder / "vocab.txt").write_text("".join(word + "\n" for word in vocabulary), encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertTokenizer", "do_lower_case": True}))
    draw, tensors = random.Random(seed), {}
    normal = lambda rows: ([rows, width], [draw.gauss(0, 0.08) for _ in range(rows * width)])
    for name, rows in (("word", len(vocabulary)), ("position", positions), ("token_type", 2)):
        tensors[f"embeddings.{name}_embeddings.weight"] = normal(rows)
    _layer_norm(tensors, "embeddings.LayerNorm", width)
    for layer in range(layers):
        at = f"encoder.layer.{layer}."
        for product in ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"):
            _linear(tensors, draw, at + product, width, width)
        _linear(tensors, draw, at + "intermediate.dense", inner, width)
        _linear(tensors, draw, at + "output.dense", width, inner)
        _layer_norm(tensors, at + "attention.output.LayerNorm", width)
        _layer_norm(tensors, at + "output.LayerNorm", width)
    _linear(tensors, draw, "pooler.dense", width, width)
    config = {"model_type": "bert", "architectures": ["BertModel"], "hidden_size": width, "num_hidden_layers": layers, "num_attention_heads": heads, "intermediate_size": inner,
              "max_position_embeddings": positions, "vocab_size": len(vocabulary), "type_vocab_size": 2, "layer_norm_eps": 1e-12, "hidden_act": "gelu", "pad_token_id": 0}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "model.safetensors").write_bytes(safetensors(tensors))


def write_t5(folder, pieces=200, width=32, heads=4, key_width=8, inner=48, layers=2, seed=0):
    """A T5 (version 1.0: ReLU, tied head), to which a SentencePiece model has to be added."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    draw, tensors = random.Random(seed), {}
    normal = lambda rows, columns, size: ([rows, columns], [draw.gauss(0, size) for _ in range(rows * columns)])
    tensors["shared.weight"] = normal(pieces, width, 1.0)
    for stack in ("encoder", "decoder"):
        for layer in range(layers):
            at = f"{stack}.block.{layer}.layer."
            attentions = [(0, "SelfAttention"), (1, "EncDecAttention")][: 2 if stack == "decoder" else 1]
            for number, name in attentions:
                for product in "qkv":
                    tensors[f"{at}{number}.{name}.{product}.weight"] = normal(heads * key_width, width, (width * key_width) ** -0.5 if product == "q" else width ** -0.5)
                tensors[f"{at}{number}.{name}.o.weight"] = normal(width, heads * key_width, (heads * key_width) ** -0.5)
                tensors[f"{at}{number}.layer_norm.weight"] = ([width], [1.0] * width)
            if layer == 0:
                tensors[at + "0.SelfAttention.relative_attention_bias.weight"] = normal(32, heads, 0.1)
            last = len(attentions)
            tensors[f"{at}{last}.DenseReluDense.wi.weight"], tensors[f"{at}{last}.DenseReluDense.wo.weight"] = normal(inner, width, width ** -0.5), normal(width, inner, inner ** -0.5)
            tensors[f"{at}{last}.layer_norm.weight"] = ([width], [1.0] * width)
        tensors[f"{stack}.final_layer_norm.weight"] = ([width], [1.0] * width)
    config = {"model_type": "t5", "architectures": ["T5ForConditionalGeneration"], "d_model": width, "d_kv": key_width, "d_ff": inner, "num_heads": heads, "num_layers": layers,
              "num_decoder_layers": layers, "vocab_size": pieces, "relative_attention_num_buckets": 32, "relative_attention_max_distance": 128, "feed_forward_proj": "relu",
              "layer_norm_epsilon": 1e-6, "pad_token_id": 0, "eos_token_id": 2, "decoder_start_token_id": 0, "is_encoder_decoder": True, "tie_word_embeddings": True}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "T5Tokenizer", "eos_token": "</s>", "extra_ids": 0}))
    (folder / "model.safetensors").write_bytes(safetensors(tensors))
