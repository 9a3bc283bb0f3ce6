"""Draws docs/figures/layers.svg from the table of layers, tests/headers/layers.py. usage: layers.py [--check]"""

import pathlib
import sys

import strategies

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent.parent / "tests" / "headers"))
import layers  # noqa: E402

HOLDS = {
    "core": "types, errors, threads, memory", "kernels": "loops over pointers", "tensor": "dense arrays", "weights": "frozen matrices",
    "autograd": "variables and the tape", "ops": "operations with gradients", "nn": "rows and modules", "adaptation": "strategies",
    "models": "architectures, one transformer", "text": "tokenizers", "data": "examples and readers", "io": "files", "optim": "optimizers",
    "train": "training", "generate": "writing texts", "metrics": "scores", "any": "choice at run time", "inspect": "seeing inside",
}


def draw():
    rows = [[folder for folder in row if "/" not in folder] for row in layers.ROWS]
    step, title = 38, "The folders of include/graft: each includes only those below it"
    height = 50 + step * len(rows)
    parts = []
    for number, row in enumerate(rows):
        y, width = height - 8 - step * (number + 1), 700 / len(row)
        for i, folder in enumerate(row):
            words = f"{folder}: {HOLDS[folder]}" if folder in HOLDS else folder
            parts.append(strategies.box(30 + i * width, y, width - 6, "frozen" if number % 2 else "op", words, height=step - 8))
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 {height}" width="760" height="{height}" role="img" aria-labelledby="layers-title layers-desc">',
        f'  <title id="layers-title">{title}</title>',
        '  <desc id="layers-desc">' + "; ".join(", ".join(row) for row in rows) + ": from the bottom up. Folders of one row do not include each other.</desc>",
        strategies.STYLE, f'  <rect class="paper" x="0.5" y="0.5" width="759" height="{height - 1}" rx="8"/>',
        strategies.text(380, 24, title), *parts, "</svg>", ""])


if __name__ == "__main__":
    file, drawn = FOLDER / "layers.svg", draw()
    if "--check" not in sys.argv[1:]:
        file.write_text(drawn, encoding="utf-8")
    elif not file.is_file() or file.read_text(encoding="utf-8") != drawn:
        sys.exit("docs/figures/layers.svg: is not what docs/figures/layers.py draws")
    print("figures: no violation")
