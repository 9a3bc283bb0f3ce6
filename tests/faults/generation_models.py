"""The tiny models of the generation tests: a LLaMA and a BART whose texts vary, with a configuration of generation in either file. Needs nothing but Python."""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "programs"))

import tiny_model  # noqa: E402

MAX_NEW = 12  # where no key limits the text
SOURCE = "pig"


def write(folder, kind, seed, config, own):
    """Writes the model and its keys; returns the ids that the model reads for SOURCE."""
    folder = pathlib.Path(folder)
    if kind == "llama":
        tiny_model.write_llama(folder, seed=seed)
    else:
        tiny_model.write_bart(folder, seed=seed)
    sharpen(folder)
    set_keys(folder, config, own)
    if kind == "llama":
        alphabet = tiny_model.byte_alphabet()
        return [alphabet.index(letter) for letter in SOURCE]
    return [1, *(4 + ord(letter) - 32 for letter in SOURCE), 2]


def sharpen(folder, factor=6.0):
    """Larger embeddings and products, so that texts do not repeat one token."""
    import struct
    path = folder / "model.safetensors"
    data = bytearray(path.read_bytes())
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    for name, entry in header.items():
        if name.endswith(".weight") and len(entry["shape"]) == 2:
            first, last = (8 + size + at for at in entry["data_offsets"])
            values = struct.unpack(f"<{(last - first) // 4}f", data[first:last])
            data[first:last] = struct.pack(f"<{len(values)}f", *(value * factor for value in values))
    path.write_bytes(bytes(data))


def set_keys(folder, config, own):
    """Keys of config.json (those of earlier calls go), and generation_config.json or none."""
    path, base = folder / "config.json", folder / "base.json"
    if not base.exists():
        base.write_text(path.read_text())
    merged = {**json.loads(base.read_text()), **config}
    path.write_text(json.dumps(merged))
    (folder / "generation_config.json").unlink(missing_ok=True)
    if own is not None:
        (folder / "generation_config.json").write_text(json.dumps(own))
