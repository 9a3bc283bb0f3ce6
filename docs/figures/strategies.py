"""Draws each strategy's place in a block: docs/figures/strategy_*.svg. usage: strategies.py [--check]

Blue is frozen, orange is trained, grey computes without weights. --check says which files differ from what would be drawn.
"""

import pathlib
import sys

FOLDER = pathlib.Path(__file__).resolve().parent
STYLE = """  <style>
    text { font-family: "DejaVu Sans", Verdana, Arial, sans-serif; font-size: 12.5px; fill: #1f2328; }
    .small { font-size: 11px; fill: #4b5563; }
    .mid { text-anchor: middle; }
    .paper { fill: #ffffff; stroke: #d1d5db; }
    .frozen { fill: #dbeafe; stroke: #1d4ed8; }
    .trained { fill: #ffedd5; stroke: #c2410c; }
    .op { fill: #f3f4f6; stroke: #6b7280; }
    .source { fill: #f9fafb; stroke: #6b7280; }
    .target { fill: #dcfce7; stroke: #15803d; }
    .flow { stroke: #1f2328; stroke-width: 1.3; fill: none; }
    .skip { stroke: #1d4ed8; stroke-width: 1.8; fill: none; }
    .tie { stroke: #c2410c; stroke-width: 1.4; stroke-dasharray: 4 3; fill: none; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3; }
      .small { fill: #aab4c0; }
      .paper { fill: #161b22; stroke: #3d444d; }
      .frozen { fill: #16304f; stroke: #79a8ff; }
      .trained { fill: #4a2a12; stroke: #ff9f66; }
      .op { fill: #2b3138; stroke: #8b949e; }
      .source { fill: #1d232a; stroke: #8b949e; }
      .target { fill: #12361f; stroke: #56d384; }
      .flow { stroke: #e6edf3; }
      .skip { stroke: #79a8ff; }
      .tie { stroke: #ff9f66; }
    }
  </style>"""


def text(x, y, words, kind="mid"):
    words = words.replace("&", "&amp;").replace("<", "&lt;")
    return f'  <text class="{kind}" x="{x}" y="{y}">{words}</text>'


def box(x, y, width, kind, words, small="", height=26):
    lines = [f'  <rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}" rx="4"/>']
    middle = x + width / 2
    if small:
        lines += [text(middle, y + height / 2 - 2, words), text(middle, y + height / 2 + 12, small, "small mid")]
    else:
        lines.append(text(middle, y + height / 2 + 4, words))
    return "\n".join(lines)


def line(kind, *points):
    return f'  <path class="{kind}" d="M' + " L".join(f"{x} {y}" for x, y in points) + '"/>'


# The places of a block, from the top: x in the middle of the column, y of each box.
X, W = 60, 240
MIDDLE = X + W / 2
PLACES = {"embedding": 44, "norm": 88, "products": 124, "attention": 160, "output": 196, "sum": 240, "norm2": 266, "up": 302,
          "activation": 338, "down": 374, "sum2": 418, "head": 452}


def block(trained=(), embedding="token embedding", head="head"):
    """The column of one block between embedding and head; `trained` names boxes that are orange."""
    words = {"embedding": embedding, "norm": "norm", "products": "query, key, value", "attention": "attention", "output": "output",
             "norm2": "norm", "up": "up (and gate)", "activation": "f", "down": "down", "head": head}
    out = [line("flow", (MIDDLE, 60), (MIDDLE, 466)), line("skip", (MIDDLE, 80), (X - 24, 80), (X - 24, 249), (MIDDLE, 249)),
           line("skip", (MIDDLE, 258), (X - 24, 258), (X - 24, 427), (MIDDLE, 427))]
    for name, word in words.items():
        kind = "trained" if name in trained or "all" in trained else "op" if name in ("attention", "activation") else "frozen"
        out.append(box(X, PLACES[name], W, kind, word))
    for name in ("sum", "sum2"):
        out.append(f'  <circle class="paper" cx="{MIDDLE}" cy="{PLACES[name] + 9}" r="9"/>')
        out.append(text(MIDDLE, PLACES[name] + 13, "+"))
    return out


def beside(place, words, small, offset=0, height=40, to=None):
    """A trained box at the right, tied to a place of the block."""
    y = PLACES[place] + 13 - height / 2 + offset
    at = PLACES[to or place] + (13 if (to or place) not in ("sum", "sum2") else 9)
    end = MIDDLE + 9 if (to or place) in ("sum", "sum2") else X + W
    return [box(390, y, 330, "trained", words, small, height), line("tie", (390, y + height / 2), (345, y + height / 2), (345, at), (end, at))]


def row(cells, y=508):
    """A row of tokens: (words, kind, width)."""
    out, x = [text(X, y + 17, "row", "small")], X + 40
    for words, kind, width in cells:
        out.append(box(x, y, width, kind, words))
        x += width + 4
    return out


def row_of(virtual, place, name="P virtual"):
    source = [("x₁", "source", 50), ("…", "source", 40), ("xₛ₋₁", "source", 60)]
    last = [("xₛ", "source", 50)]
    target = [("y₁", "target", 50), ("…", "target", 40), ("yₜ", "target", 50)]
    added = [(name + " " + virtual, "trained", 190)]
    return row(added + source + last + target if place == "front" else source + added + last + target)


def layers(trained, note, head=False, embedding=False):
    """A stack of layers seen from outside."""
    out = []
    names = ["embedding", "layer 1", "…", "layer L − 2", "layer L − 1", "layer L", "norm", "head"]
    for i, name in enumerate(names):
        is_trained = name in trained or (head and name == "head") or (embedding and name == "embedding")
        out.append(box(X, 48 + 46 * i, W, "trained" if is_trained else "frozen", name, height=34))
        if i:
            out.append(line("flow", (MIDDLE, 36 + 46 * i), (MIDDLE, 48 + 46 * i)))
    return out + [text(390, 120 + 20 * i, part, "") for i, part in enumerate(note)]


STRATEGIES = {
    "prefix_tuning": ("Prefix tuning: trained keys and values in every attention", [
        *block(), *beside("attention", "P_K, P_V: [P, keys’ width] in each layer", "seen by every query of the row"), *row_of("keys", "front")]),
    "infix_tuning": ("Infix tuning: trained keys and values between source and target", [
        *block(), *beside("attention", "P_K, P_V: [P, keys’ width] in each layer", "seen from the last source token on"), *row_of("keys", "infix")]),
    "prompt_tuning": ("Prompt tuning: trained embeddings before the row", [
        *block(), *beside("embedding", "E [P, width]", "joins the row, then runs through all layers"), *row_of("tokens", "front")]),
    "p_tuning": ("P-tuning: trained embeddings that a network computes", [
        *block(), *beside("embedding", "encoder(E) [P, width]: MLP or LSTM", "once a step; dropped after training"), *row_of("tokens", "front")]),
    "embedding_only": ("Embedding-only tuning: trained embeddings at the front, or at the infix as here", [
        *block(), *beside("embedding", "E [P, width], or an MLP of E’", "joins the row, then runs through all layers"), *row_of("tokens", "infix")]),
    "lora": ("LoRA: a product of two thin matrices beside chosen products", [
        *block(), *beside("products", "+ (alpha / rank)·(x·Aᵀ)·Bᵀ", "A [rank, in], B [out, rank], at query and value"),
        text(390, 190, "other targets: output, up, gate, down", "small")]),
    "ia3": ("(IA)³: trained factors of keys, values and inner activations", [
        *block(), *beside("products", "key ∘ l_K, value ∘ l_V", "l [keys’ width]"), *beside("down", "input ∘ l_F", "l [inner width]")]),
    "bottleneck_adapter": ("Bottleneck adapters: small networks behind sublayers or layers", [
        *block(), *beside("output", "houlsby: up(f(down(h)))", "h the output of attention", 16, to="sum"),
        *beside("down", "houlsby, pfeiffer: up(f(down(h)))", "h the output of the feed-forward", -14, to="down"),
        *beside("sum2", "between layers: x + up(f(down(x)))", "x the layer’s result", 8)]),
    "parallel_adapter": ("Parallel adapters: small networks beside a sublayer", [
        *block(), *beside("norm2", "scale·up(f(down(x)))", "reads what the feed-forward reads"),
        line("tie", (555, 299), (555, 427), (MIDDLE + 9, 427)), text(565, 380, "is added to its output", "small")]),
    "bitfit": ("BitFit: the biases alone", [
        *block(), *beside("norm", "bias of each norm", "[width]", -6), *beside("products", "bias of each product", "[out]", 14),
        *beside("down", "bias of each product", "[out]")]),
    "top_layers": ("Fine-tuning the top layers", layers(("layer L − 1", "layer L", "norm"), [
        "Trained copies of the last k layers (k = 2)", "and of the norm behind them.", "", "Nothing below is recorded:", "a backward pass ends here."])),
    "full_fine_tuning": ("Full fine-tuning: copies of all weights", layers(
        ("embedding", "layer 1", "…", "layer L − 2", "layer L − 1", "layer L", "norm", "head"),
        ["Trained copies of all weights.", "The base stays as it is.", "", "A tied head is the embedding,", "and is trained once."])),
    "classification_head": ("A classification head behind the last layer of an encoder", layers(("head",), [
        "logits [rows, labels] from the state", "of each row’s first token.", "", "Another strategy may train", "the layers below it."])),
    "compose": ("Several strategies in one model", [
        *block(), *beside("attention", "first part: prefix P_K, P_V", "every hook runs through the parts in their order", 14),
        *beside("products", "second part: LoRA at query and value", "parameters are named 0.…, 1.…", -14)]),
    "adapter_table": ("A table of adapters: each row has its own", [
        *block(), *beside("products", "rows of adapter 0: LoRA", "gathered, changed, put back", -8),
        *beside("attention", "rows of adapter 1: prefix P_K, P_V", "stored once, seen by its rows alone", 12),
        *row([("row with adapter 0", "trained", 170), ("row with adapter 1", "trained", 170), ("row without (−1)", "source", 170)])]),
}


def draw(name):
    title, parts = STRATEGIES[name]
    key = f"strategy-{name.replace('_', '-')}"
    has_row = any(">row<" in part for part in parts)
    height = 548 if has_row else 494
    described = "The model’s block from the embedding to the head. Frozen parts are blue; what the strategy trains is orange and tied to its place."
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 {height}" width="760" height="{height}" role="img" aria-labelledby="{key}-title {key}-desc">',
        f'  <title id="{key}-title">{title}</title>', f'  <desc id="{key}-desc">{described}</desc>', STYLE,
        f'  <rect class="paper" x="0.5" y="0.5" width="759" height="{height - 1}" rx="8"/>',
        text(380, 26, title), *parts, "</svg>", ""])


if __name__ == "__main__":
    wrong = []
    for name in STRATEGIES:
        file, drawn = FOLDER / f"strategy_{name}.svg", draw(name)
        if "--check" not in sys.argv[1:]:
            file.write_text(drawn, encoding="utf-8")
        elif not file.is_file() or file.read_text(encoding="utf-8") != drawn:
            wrong.append(f"docs/figures/{file.name}: is not what docs/figures/strategies.py draws")
    print("\n".join(wrong) or "figures: no violation")
    sys.exit(bool(wrong))
