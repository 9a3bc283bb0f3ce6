#!/usr/bin/env python3
"""Small folders with a tokenizer and random files beside it, and what transformers' AutoTokenizer makes of texts with them.

    pip install transformers==5.23.0 tokenizers==0.23.3 sentencepiece==0.2.3
    python make_folder_cases.py [FOLDER]

Reads the small tokenizers of FOLDER (default: recorded/ beside this file); writes FOLDER/folders/bases.json, tokenizer.json files by name, and
FOLDER/folders/folders.jsonl, a line {"name", "files", "encoded", "decoded"} each:
 - files: their names and contents; {"base": name, …} stands for a base with other members in place of its own; {"copy": path} for a file below FOLDER
 - encoded: [text, ids without special tokens, ids with them, ids of the pair of the text and the next one]
 - decoded: [ids, text, text without special tokens]
"""
import copy
import json
import os
import pathlib
import random
import shutil
import sys
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_VERBOSITY"] = "critical"
from transformers import AutoTokenizer

ROOT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent / "recorded")
OUT = ROOT / "folders"
R = random.Random(11)
NEW = ["<|im_start|>", "<|im_end|>", "<sep2>", "[NEW]", "Fox", "hello world", "the", "été"]
WORDS = ["the fox", "The Fox", "hello world", " hello", "a", "Été", "ÉTÉ", "naïve café", "中文 日本", "12 34", "don't stop .", "end . And , so", "x", "  ", " ", "\n", "🙂", "isn 't it ?", "Straße"]
SPECIAL = {"gpt2": ["<|end|>"], "gpt2_split": ["<|end|>"], "roberta": ["<s>", "</s>", "<mask>", "<pad>"], "bert": ["[CLS]", "[SEP]", "[MASK]", "[UNK]"],
           "llama": ["<s>", "</s>", "<unk>"], "llama_metaspace": ["<s>", "</s>"], "t5": ["</s>", "<pad>", "<extra_id_0>"], "xlm_roberta": ["<s>", "</s>", "<mask>"]}


def load(name):
    return json.loads((ROOT / name / "tokenizer.json").read_text())


def added(vocabulary, *contents):
    return [dict(id=vocabulary[c], content=c, single_word=False, lstrip=False, rstrip=False, normalized=False, special=True) for c in contents]


def byte_level(specials, prefix=False):
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    alphabet = [chr(b) for b in printable] + [chr(256 + i) for i in range(256 - len(printable))]
    merges = [("Ġ", "t"), ("h", "e"), ("Ġt", "he"), ("t", "he"), ("Ġ", "f"), ("o", "x"), ("Ġf", "ox"), ("f", "ox"), ("Ġ", "a"), ("Ã", "©"), ("e", "l"), ("l", "o"), ("h", "el"), ("hel", "lo"), ("Ġ", "hello")]
    tokens = alphabet + [a + b for a, b in merges] + specials
    vocabulary = {t: i for i, t in enumerate(tokens)}
    component = dict(type="ByteLevel", add_prefix_space=prefix, trim_offsets=True, use_regex=True)
    return dict(version="1.0", truncation=None, padding=None, added_tokens=added(vocabulary, *specials), normalizer=None, pre_tokenizer=component, post_processor=component, decoder=dict(component),
                model=dict(type="BPE", dropout=None, unk_token=None, continuing_subword_prefix="", end_of_word_suffix="", fuse_unk=False, byte_fallback=False, ignore_merges=False,
                           vocab=vocabulary, merges=[list(m) for m in merges]))


def bases():
    all = {"gpt2": byte_level(["<|end|>"])}
    split = byte_level(["<|end|>"])
    split["pre_tokenizer"] = dict(type="Sequence", pretokenizers=[dict(type="Digits", individual_digits=True), split["pre_tokenizer"]])
    all["gpt2_split"] = split
    roberta = byte_level(["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    v = roberta["model"]["vocab"]
    roberta["post_processor"] = dict(type="RobertaProcessing", sep=["</s>", v["</s>"]], cls=["<s>", v["<s>"]], trim_offsets=True, add_prefix_space=False)
    all["roberta"] = roberta
    all["bert"] = load("word_piece_json")
    all["bert"]["model"]["max_input_chars_per_word"] = 100
    all["llama"] = load("bpe_json")
    metaspace = copy.deepcopy(all["llama"])
    metaspace.update(normalizer=None, pre_tokenizer=dict(type="Metaspace", replacement="▁", prepend_scheme="first", split=False))
    all["llama_metaspace"] = metaspace
    unigram = load("unigram_json")
    pieces = unigram["model"]["vocab"][3:]
    charsmap = unigram["normalizer"]["normalizers"][0]
    pre = dict(type="Sequence", pretokenizers=[dict(type="WhitespaceSplit"), dict(type="Metaspace", replacement="▁", prepend_scheme="always", split=True)])
    for name, first, last, unk in (("t5", ["<pad>", "</s>", "<unk>"], ["<extra_id_1>", "<extra_id_0>"], 2), ("xlm_roberta", ["<s>", "<pad>", "</s>", "<unk>"], ["<mask>"], 3)):
        vocabulary = [[t, 0.0] for t in first] + pieces + [[t, 0.0] for t in last]
        ids = {t: i for i, (t, _) in enumerate(vocabulary)}
        single, pair = ([("A", "</s>"), ("A", "</s>", "B", "</s>")] if name == "t5" else [("<s>", "A", "</s>"), ("<s>", "A", "</s>", "</s>", "B", "</s>")])
        part = lambda p: {"Sequence": dict(id=p, type_id=0)} if p in "AB" else {"SpecialToken": dict(id=p, type_id=0)}
        all[name] = dict(version="1.0", truncation=None, padding=None, added_tokens=added(ids, *first, *last), normalizer=charsmap, pre_tokenizer=pre,
                         post_processor=dict(type="TemplateProcessing", single=[part(p) for p in single], pair=[part(p) for p in pair],
                                             special_tokens={t: dict(id=t, ids=[ids[t]], tokens=[t]) for t in ("<s>", "</s>") if t in ids}),
                         decoder=dict(type="Metaspace", replacement="▁", prepend_scheme="always", split=True), model=dict(type="Unigram", unk_id=unk, vocab=vocabulary, byte_fallback=False))
    return all


BASES = bases()
CLASSES = {"gpt2": ["GPT2Tokenizer", "PreTrainedTokenizerFast"], "gpt2_split": ["GPT2TokenizerFast", "PreTrainedTokenizerFast"], "roberta": ["RobertaTokenizer", "BartTokenizer", "PreTrainedTokenizerFast"],
           "bert": ["BertTokenizer", "BertTokenizerFast", "DistilBertTokenizer", "PreTrainedTokenizerFast"], "llama": ["LlamaTokenizer", "LlamaTokenizerFast", "PreTrainedTokenizerFast"],
           "llama_metaspace": ["LlamaTokenizer", "PreTrainedTokenizerFast"], "t5": ["T5Tokenizer", "PreTrainedTokenizerFast"], "xlm_roberta": ["XLMRobertaTokenizer", "PreTrainedTokenizerFast"]}
ROLES = {"gpt2": dict(eos="<|end|>", bos="<|end|>"), "roberta": dict(bos="<s>", eos="</s>", cls="<s>", sep="</s>", pad="<pad>", mask="<mask>", unk="<unk>"),
         "bert": dict(cls="[CLS]", sep="[SEP]", pad="[PAD]", mask="[MASK]", unk="[UNK]"), "llama": dict(bos="<s>", eos="</s>", unk="<unk>"), "t5": dict(eos="</s>", pad="<pad>", unk="<unk>"),
         "xlm_roberta": dict(bos="<s>", eos="</s>", cls="<s>", sep="</s>", pad="<pad>", mask="<mask>", unk="<unk>")}
ROLES["gpt2_split"], ROLES["llama_metaspace"] = ROLES["gpt2"], ROLES["llama"]
SWITCHES = {"gpt2": ["add_prefix_space"], "gpt2_split": ["add_prefix_space"], "roberta": ["add_prefix_space"], "bert": ["do_lower_case", "strip_accents", "tokenize_chinese_chars"],
            "llama": ["legacy", "add_prefix_space"], "llama_metaspace": ["legacy", "add_prefix_space"], "t5": [], "xlm_roberta": ["add_prefix_space"]}


def token(content, special):
    return dict(content=content, special=special, lstrip=R.random() < 0.3, rstrip=R.random() < 0.2, single_word=R.random() < 0.15, normalized=R.random() < (0.2 if special else 0.7))


def files_of(base):
    """Random files beside a base."""
    config, special_map, legacy = {"tokenizer_class": R.choice(CLASSES[base])}, {}, {}
    size = len(BASES[base]["model"]["vocab"])
    for role, content in ROLES[base].items():
        if R.random() < 0.7:
            config[role + "_token"] = content
    for key in SWITCHES[base]:
        if R.random() < 0.5:
            config[key] = R.random() < 0.5
    for key in ("clean_up_tokenization_spaces", "split_special_tokens", "add_bos_token", "add_eos_token"):
        if R.random() < 0.25:
            config[key] = R.random() < 0.6
    if base == "t5":
        config["extra_ids"] = R.choice([0, 2, 4])
    if R.random() < 0.3:
        config.update(model_max_length=R.choice([8, 512]), chat_template="{{ messages }}", padding_side="left")
    fresh = R.sample(NEW, R.randrange(1, 4))
    how = R.choice(["decoder", "decoder", "legacy", "map", "config", "none"])
    if how == "decoder":
        listed = {str(t["id"]): {k: v for k, v in t.items() if k != "id"} for t in BASES[base]["added_tokens"]}
        if R.random() < 0.3:
            listed[R.choice(list(listed))].update(lstrip=True)
        for content in fresh:
            known = BASES[base]["model"]["vocab"]
            index = known.get(content) if isinstance(known, dict) else next((i for i, (p, _) in enumerate(known) if p == content), None)
            if index is None:
                index, size = size, size + 1
            listed[str(index)] = token(content, R.random() < 0.5)
        config["added_tokens_decoder"] = listed
    elif how == "legacy":
        for content in fresh:
            legacy[content] = size
            size += 1
    elif how == "map":
        special_map["additional_special_tokens"] = [c if R.random() < 0.6 else c for c in fresh]
        special_map["pad_token"] = R.choice(["[PAD2]", dict(content="<mask2>", lstrip=True, rstrip=False, normalized=False, single_word=False)])
    elif how == "config":
        config[R.choice(["additional_special_tokens", "extra_special_tokens"])] = fresh
        if R.random() < 0.4:
            config["image_token"] = "<image>"
    files = {"tokenizer.json": {"base": base}}
    if R.random() < 0.15:
        files["tokenizer.json"]["post_processor"] = None
    if R.random() < 0.15:
        files["tokenizer.json"]["truncation"] = dict(direction="Right", max_length=5, strategy="LongestFirst", stride=0)
    for name, content in (("tokenizer_config.json", config), ("special_tokens_map.json", special_map), ("added_tokens.json", legacy)):
        if content:
            files[name] = content
    return files


def write(folder, files):
    for name, content in files.items():
        if "copy" in content:
            shutil.copy(ROOT / content["copy"], folder / name)
            continue
        if "text" in content:
            (folder / name).write_text(content["text"], encoding="utf-8")
            continue
        if "base" in content:
            content = {**BASES[content["base"]], **{k: v for k, v in content.items() if k != "base"}}
        (folder / name).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


def texts(base):
    tokens = [t["content"] for t in BASES.get(base, {"added_tokens": []})["added_tokens"]] + NEW + ["<image>", "<mask2>", "<extra_id_3>"]
    def one():
        return "".join((R.choice(tokens) if R.random() < 0.35 else R.choice(WORDS)) + R.choice(["", " ", ""]) for _ in range(R.randrange(2, 6)))
    return [one() for _ in range(9)]


def record(name, files, base, vocabulary):
    with tempfile.TemporaryDirectory() as place:
        write(pathlib.Path(place), files)
        tokenizer = AutoTokenizer.from_pretrained(place)
    encoded, decoded = [], []
    all = texts(base)
    for text, pair in zip(all, all[1:] + all[:1]):
        encoded.append([text, tokenizer.encode(text, add_special_tokens=False), tokenizer.encode(text), tokenizer(text, pair)["input_ids"]])
    for i in range(6):
        ids = encoded[i][2] if i < 4 else [R.randrange(len(tokenizer)) for _ in range(12)]
        decoded.append([ids, tokenizer.decode(ids), tokenizer.decode(ids, skip_special_tokens=True)])
    return dict(name=name, files=files, encoded=encoded, decoded=decoded)


def plain_folders():
    """Folders without a tokenizer.json."""
    gpt2, bert, roberta = BASES["gpt2"], BASES["bert"], BASES["roberta"]
    words = "\n".join(bert["model"]["vocab"]) + "\n"
    for i in range(8):
        config = {"tokenizer_class": "BertTokenizer", **{k: R.random() < 0.5 for k in SWITCHES["bert"] if R.random() < 0.5}}
        files = {"vocab.txt": {"text": words}, "tokenizer_config.json": config}
        if i % 2:
            files["added_tokens.json"] = {"[NEW]": len(bert["model"]["vocab"]), "Fox": len(bert["model"]["vocab"]) + 1}
        if i % 3 == 2:
            files["special_tokens_map.json"] = {"additional_special_tokens": ["<|im_start|>"], "mask_token": dict(content="[MASK]", lstrip=True, rstrip=False, normalized=False, single_word=False)}
        yield f"vocab_txt_{i}", files, "bert"
    for i in range(10):
        base, kind = R.choice([("gpt2", "GPT2Tokenizer"), ("roberta", "RobertaTokenizer"), ("gpt2", "Qwen2Tokenizer")])
        model = BASES[base]["model"]
        config = {"tokenizer_class": kind, **{r + "_token": t for r, t in ROLES[base].items() if R.random() < 0.8}}
        if R.random() < 0.5:
            config["add_prefix_space"] = R.random() < 0.5
        if R.random() < 0.5:
            config["add_bos_token"] = R.random() < 0.7
        if R.random() < 0.3:
            config["add_eos_token"] = True
        files = {"vocab.json": model["vocab"], "merges.txt": {"text": "#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in model["merges"])}, "tokenizer_config.json": config}
        if R.random() < 0.5:
            files["added_tokens.json"] = {"<|im_start|>": len(model["vocab"])}
        yield f"vocab_json_{i}", files, base
    yield from sentencepiece_folders()


def sentencepiece_folders():
    """LLaMA's and T5's, with a SentencePiece model alone."""
    unigram = train_t5()
    for i in range(10):
        config = {"tokenizer_class": R.choice(["LlamaTokenizer", "LlamaTokenizerFast"]), "add_bos_token": R.random() < 0.7, **{k: R.random() < 0.5 for k in ("legacy", "add_prefix_space", "add_eos_token") if R.random() < 0.5}}
        files = {"tokenizer.model": {"copy": "bpe_bytes/tokenizer.model"}, "tokenizer_config.json": config}
        if i % 3 == 1:
            files["added_tokens.json"] = {"<|im_start|>": 480, "[NEW]": 481}
        if i % 3 == 2:
            files["special_tokens_map.json"] = {"additional_special_tokens": ["<|im_start|>"], "bos_token": dict(content="<s>", lstrip=False, rstrip=True, normalized=False, single_word=False)}
        yield f"llama_model_{i}", files, "llama"
    for i in range(8):
        config = {"tokenizer_class": "T5Tokenizer", "extra_ids": R.choice([0, 2, 4]), **({"clean_up_tokenization_spaces": True} if i % 3 == 0 else {})}
        files = {"spiece.model": {"copy": unigram}, "tokenizer_config.json": config}
        if i % 3 == 1:
            files["special_tokens_map.json"] = {"eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
        yield f"t5_model_{i}", files, "t5"


def train_t5():
    import sentencepiece
    path = OUT / "spiece.model"
    if not path.exists():
        with tempfile.TemporaryDirectory() as place:
            sentences = [" ".join(R.choice(WORDS).strip() or "a" for _ in range(8)) for _ in range(400)] + ["the quick brown fox jumps over the lazy dog"] * 9
            (pathlib.Path(place) / "corpus.txt").write_text("\n".join(sentences), encoding="utf-8")
            sentencepiece.SentencePieceTrainer.train(input=f"{place}/corpus.txt", model_prefix=f"{place}/m", model_type="unigram", vocab_size=120, hard_vocab_limit=False, minloglevel=2, num_threads=1,
                                                     pad_id=0, eos_id=1, unk_id=2, bos_id=-1, normalization_rule_name="identity")
            shutil.copy(f"{place}/m.model", path)
    return "folders/spiece.model"


def main():
    OUT.mkdir(exist_ok=True)
    (OUT / "bases.json").write_text(json.dumps(BASES, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
    lines, failed = [], 0
    folders = [(f"{base}_{i}", files_of(base), base) for base in BASES for i in range(12)] + list(plain_folders())
    for name, files, base in folders:
        try:
            lines.append(record(name, files, base, None))
        except Exception as error:  # transformers itself refuses this folder
            failed += 1
            print(name, type(error).__name__, str(error)[:150], file=sys.stderr)
    with open(OUT / "folders.jsonl", "w", encoding="utf-8") as out:
        for line in lines:
            out.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
    print(len(lines), "folders,", failed, "refused by transformers")


if __name__ == "__main__":
    main()
