"""A tiny LLaMA folder of tiny_model.py as a GGUF file in float32, as llama.cpp's conversion writes it. Needs nothing but Python."""

import json
import pathlib
import struct

NAMES = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output", "input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
         "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output", "post_attention_layernorm": "ffn_norm", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down"}


def read_safetensors(path):
    """A dictionary of names to (shape, values); float32 alone."""
    data = pathlib.Path(path).read_bytes()
    size = 8 + struct.unpack("<Q", data[:8])[0]
    tensors = {}
    for name, entry in json.loads(data[8:size]).items():
        if name != "__metadata__":
            begin, end = (size + offset for offset in entry["data_offsets"])
            tensors[name] = (entry["shape"], struct.unpack(f"<{(end - begin) // 4}f", data[begin:end]))
    return tensors


def gguf_name(name):
    module, part = name.rsplit(".", 1)
    if not module.startswith("model.layers."):
        return f"{NAMES[module]}.{part}"
    layer, inner = module.removeprefix("model.layers.").split(".", 1)
    return f"blk.{layer}.{NAMES[inner]}.{part}"


def interleaved(shape, values, heads):
    """The rows of each head in the order of ggml's rotary pairs."""
    columns, width = (shape[1] if len(shape) > 1 else 1), shape[0] // heads
    order = [head * width + half * (width // 2) + i for head in range(heads) for i in range(width // 2) for half in (0, 1)]
    return [value for row in order for value in values[row * columns : (row + 1) * columns]]


def text(value):
    return struct.pack("<Q", len(value.encode())) + value.encode()


def entry(key, value):
    packed = text(key)
    if isinstance(value, str):
        return packed + struct.pack("<I", 8) + text(value)
    if isinstance(value, float):
        return packed + struct.pack("<If", 6, value)
    if isinstance(value, int):
        return packed + struct.pack("<II", 4, value)
    of = 8 if isinstance(value[0], str) else 5
    return packed + struct.pack("<IIQ", 9, of, len(value)) + b"".join(text(one) if of == 8 else struct.pack("<i", one) for one in value)


def write_gguf(folder, path, parts=1, **metadata):
    """`metadata` adds keys or replaces them: `**{"llama.rope.freq_base": 500.0}`. In several parts the files are `path`-00001-of-0000N.gguf, as gguf-split writes them."""
    folder = pathlib.Path(folder)
    config, tokenizer = json.loads((folder / "config.json").read_text()), json.loads((folder / "tokenizer.json").read_text())
    vocabulary, merges = tokenizer["model"]["vocab"], tokenizer["model"]["merges"]
    tokens = sorted(vocabulary, key=vocabulary.get)
    keys = {"general.architecture": "llama", "llama.context_length": config["max_position_embeddings"], "llama.embedding_length": config["hidden_size"], "llama.block_count": config["num_hidden_layers"],
            "llama.feed_forward_length": config["intermediate_size"], "llama.attention.head_count": config["num_attention_heads"], "llama.attention.head_count_kv": config["num_key_value_heads"],
            "llama.attention.layer_norm_rms_epsilon": config["rms_norm_eps"], "llama.rope.freq_base": config["rope_theta"],
            "tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "gpt-2", "tokenizer.ggml.tokens": tokens, "tokenizer.ggml.merges": merges,
            "tokenizer.ggml.token_type": [3 if token == "<|end|>" else 1 for token in tokens], "tokenizer.ggml.eos_token_id": config["eos_token_id"], "tokenizer.ggml.bos_token_id": config["bos_token_id"]}
    keys.update(metadata)
    tensors = list(read_safetensors(folder / "model.safetensors").items())
    for part in range(parts):
        some, infos, data = tensors[part::parts], b"", b""
        own = {**({} if part else keys), **({"split.no": part, "split.count": parts, "split.tensors.count": len(tensors)} if parts > 1 else {})}
        for name, (shape, values) in some:
            if "q_proj" in name or "k_proj" in name:
                values = interleaved(shape, values, config["num_attention_heads" if "q_proj" in name else "num_key_value_heads"])
            infos += text(gguf_name(name)) + struct.pack(f"<I{len(shape)}Q", len(shape), *reversed(shape)) + struct.pack("<IQ", 0, len(data))
            data += struct.pack(f"<{len(values)}f", *values)
            data += bytes(-len(data) % 32)
        head = b"GGUF" + struct.pack("<IQQ", 3, len(some), len(own)) + b"".join(entry(key, value) for key, value in own.items()) + infos
        file = f"{path}-{part + 1:05}-of-{parts:05}.gguf" if parts > 1 else path
        pathlib.Path(file).write_bytes(head + bytes(-len(head) % 32) + data)
