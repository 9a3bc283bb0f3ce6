"""Records what gguf-py makes of quantized blocks: `python3 record_blocks.py > block_goldens.inc` (needs numpy and gguf 0.19.0 of PyPI).

Blocks are random bytes; only their half-precision scales are drawn as numbers. A row is the format's number in ggml, two blocks, and
their widened float32 as hexadecimal bytes.
"""

import numpy as np
from gguf import GGMLQuantizationType, quants

# ggml's name: bytes of a block, where its halves lie
FORMATS = {"Q4_0": (18, [0]), "Q4_1": (20, [0, 2]), "Q5_0": (22, [0]), "Q5_1": (24, [0, 2]), "Q8_0": (34, [0]),
           "Q2_K": (84, [80, 82]), "Q3_K": (110, [108]), "Q4_K": (144, [0, 2]), "Q5_K": (176, [0, 2]), "Q6_K": (210, [208])}


def literal(data, width=130):
    text = data.hex()
    return "\n     ".join(f'"{text[i:i + width]}"' for i in range(0, len(text), width))


def main():
    random = np.random.default_rng(7)
    print("// Written by record_blocks.py with gguf-py 0.19.0: ggml's type, two blocks, their float32.")
    for name, (size, halves) in FORMATS.items():
        blocks = random.integers(0, 256, (2, size), dtype=np.uint8)
        for at in halves:
            blocks[:, at:at + 2] = random.normal(0, 0.02, (2, 1)).astype(np.float16).view(np.uint8)
        kind = GGMLQuantizationType[name]
        values = quants.dequantize(blocks.reshape(1, -1), kind).astype("<f4")
        print(f"    {{{int(kind)}, // {name}\n     {literal(blocks.tobytes())},\n     {literal(values.tobytes())}}},")


if __name__ == "__main__":
    main()
