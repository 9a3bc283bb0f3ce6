#!/usr/bin/env python3
"""Small tokenizers and what the reference implementations make of texts with them.

    pip install sentencepiece==0.2.3 tokenizers==0.23.3
    python make_recorded.py [FOLDER]

Writes FOLDER/<name>/tokenizer.model or tokenizer.json, cases.jsonl with {"text", "ids", "decoded"} a line (no special tokens added) and, for
tokenizer.json, templates.jsonl with {"text", "pair", "max_length", "ids", "types"}.
"""
import base64, json, os, random, sys, tempfile
import sentencepiece as spm
from tokenizers import Tokenizer

OUT = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
CORPUS = """the quick brown fox jumps over the lazy dog
the dog sleeps in the garden and the fox runs through the forest
a restaurant near the river serves cheap italian food for families
name : The Golden Palace | Type : coffee shop | food : English | price : high
there is a cheap coffee shop by the riverside called Blue Spice
it has a low price range and a customer rating of 5 out of 5
an adapter holds few parameters; the base model stays as it was
training changes the adapter only, and the losses go down: 3.14, 2.71, 1.41
we write numbers like 1234 and 56789, dates like 2024-01-31
déjà vu, naïve café, Zürich, smörgåsbord, el niño, garçon
日本語 の テキスト と 中文 も あります
it's the fox's den, isn't it? they'll say that we've seen it
internationalization and standardization are unbelievably long words
running runner runs ran; walking walker walks walked; talking talker talks talked
"""
POOL = ["<sep>", "<s>", "</s>", "<unk>", "[MASK]", "[CLS]", " ", "  ", "   ", "\t", "\n", "\r\n", "\u00a0", "\u3000", "\u200b", "▁", "é", "e\u0301", "ﬁ", "½", "①",
        "ｆｕｌｌ", "İ", "Σς", "🙂", "👩\u200d👩", "©\u200d", "각", "\u0000", "\u0007", "\ufffd", "don't", "n't", "'s", "...", "!!", "1234", "中文", "日本", "the", " the", "fox",
        "ing", "CamelCase", "<0x41>", "x" * 30, "word", "words", "“quoted”", "``", "''", "—"]
R = random.Random(5)
LINES = CORPUS.strip().split("\n")


def text():
    if R.random() < 0.3:
        line = R.choice(LINES)
        i = R.randrange(len(line))
        return line[i : i + R.randrange(1, 60)]
    return "".join(R.choice(POOL) if R.random() < 0.6 else R.choice(LINES)[: R.randrange(12)] for _ in range(R.randrange(1, 8)))


TEXTS = ["", " ", "a", "  two  spaces ", "the the"] + [text() for _ in range(36)]


def varint(data, at):
    value = shift = 0
    while True:
        byte, at = data[at], at + 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def chars_map(model):
    def bytes_field(data, wanted):
        at = 0
        while at < len(data):
            tag, at = varint(data, at)
            if tag & 7 == 2:
                length, at = varint(data, at)
                if tag >> 3 == wanted:
                    return data[at : at + length]
                at += length
            elif tag & 7 == 0:
                _, at = varint(data, at)
            else:
                at += 4 if tag & 7 == 5 else 8
        return b""

    return bytes_field(bytes_field(open(model, "rb").read(), 3), 2)


def train(name, **options):
    folder = os.path.join(OUT, name)
    os.makedirs(folder, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        corpus, rules = os.path.join(temporary, "corpus.txt"), os.path.join(temporary, "rules.tsv")
        open(corpus, "w").write(CORPUS)
        pairs = [("ﬁ", "fi"), ("½", "1/2"), ("①", "1"), ("e\u0301", "é"), ("İ", "i\u0307"), ("\u3000", " "), ("\u00a0", " "), ("\t", " "), ("\n", " "), ("\r\n", " "),
                 ("\u0007", ""), ("\u200b", ""), ("ff", "f"), ("\u1100\u1161\u11a8", "\uac01"), ("©", "(c)")]
        open(rules, "w").write("".join(" ".join("%X" % ord(c) for c in a) + "\t" + " ".join("%X" % ord(c) for c in b) + "\n" for a, b in pairs))
        if options.pop("rules", False):
            options["normalization_rule_tsv"] = rules
        else:
            options["normalization_rule_name"] = "identity"
        spm.SentencePieceTrainer.train(input=corpus, model_prefix=os.path.join(temporary, "m"), hard_vocab_limit=False, minloglevel=2, num_threads=1, **options)
        model = open(os.path.join(temporary, "m.model"), "rb").read()
    path = os.path.join(folder, "tokenizer.model")
    open(path, "wb").write(model)
    processor = spm.SentencePieceProcessor(model_file=path)
    with open(os.path.join(folder, "cases.jsonl"), "w") as out:
        for t in TEXTS:
            ids = processor.encode(t)
            out.write(json.dumps(dict(text=t, ids=ids, decoded=processor.decode(ids)), ensure_ascii=False) + "\n")
    return path, [(processor.id_to_piece(i), processor.get_score(i)) for i in range(processor.get_piece_size())]


def hugging_face(name, tokenizer):
    folder = os.path.join(OUT, name)
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "tokenizer.json")
    json.dump(dict(version="1.0", truncation=None, padding=None, **tokenizer), open(path, "w"), ensure_ascii=False)
    t = Tokenizer.from_file(path)
    with open(os.path.join(folder, "cases.jsonl"), "w") as out:
        for text in TEXTS:
            ids = t.encode(text, add_special_tokens=False).ids
            out.write(json.dumps(dict(text=text, ids=ids, decoded=t.decode(ids, skip_special_tokens=False)), ensure_ascii=False) + "\n")
    with open(os.path.join(folder, "templates.jsonl"), "w") as out:
        for _ in range(16):
            a, b, most = R.choice(TEXTS), R.choice([None, R.choice(TEXTS)]), R.choice([0, 0, 5, 8, 9, 16])
            t.enable_truncation(most) if most else t.no_truncation()
            e = t.encode(a) if b is None else t.encode(a, b)
            out.write(json.dumps(dict(text=a, pair=b, max_length=most, ids=e.ids, types=e.type_ids), ensure_ascii=False) + "\n")


def added(*contents, special=True, **flags):
    return [dict(dict(id=i, content=c, single_word=False, lstrip=False, rstrip=False, normalized=False, special=special), **flags) for c, i in contents]


def template(single, pair, **tokens):
    def part(p):
        name, _, kind = p.partition(":")
        entry = dict(id=name.lstrip("$"), type_id=int(kind or 0))
        return {"Sequence" if p[0] == "$" else "SpecialToken": entry}

    return dict(type="TemplateProcessing", single=[part(p) for p in single.split()], pair=[part(p) for p in pair.split()],
                special_tokens={k: dict(id=k, ids=[v], tokens=[k]) for k, v in tokens.items()})


def main():
    path, pieces = train("unigram", model_type="unigram", vocab_size=220, rules=True, user_defined_symbols=["<sep>", "<se"], control_symbols=["<ctl>"], character_coverage=0.99)
    train("unigram_bytes", model_type="unigram", vocab_size=420, byte_fallback=True, remove_extra_whitespaces=False, character_coverage=0.99)
    ids = [i for i, _ in pieces]
    hugging_face("unigram_json", dict(
        added_tokens=added(("<unk>", 0), ("<s>", 1), ("</s>", 2)),
        normalizer=dict(type="Sequence", normalizers=[dict(type="Precompiled", precompiled_charsmap=base64.b64encode(chars_map(path)).decode()),
                                                      dict(type="Strip", strip_left=False, strip_right=True), dict(type="Replace", pattern={"Regex": " {2,}"}, content="▁")]),
        pre_tokenizer=dict(type="Metaspace", replacement="▁", prepend_scheme="always", split=True),
        post_processor=template("$A </s>", "$A </s> $B </s>", **{"</s>": 2}),
        decoder=dict(type="Metaspace", replacement="▁", prepend_scheme="always", split=True),
        model=dict(type="Unigram", unk_id=0, vocab=[[p, s] for p, s in pieces], byte_fallback=False)))
    _, pieces = train("bpe_bytes", model_type="bpe", vocab_size=480, byte_fallback=True, remove_extra_whitespaces=False, split_digits=True, character_coverage=0.99)
    train("bpe", model_type="bpe", vocab_size=220, rules=True, user_defined_symbols=["<sep>", "<se"], character_coverage=0.99)
    vocabulary = {p: i for i, (p, _) in enumerate(pieces)}
    merges = [(s, p[:k], p[k:]) for p, s in pieces for k in range(1, len(p)) if p[:k] in vocabulary and p[k:] in vocabulary and not p.startswith("<0x")]
    merges.sort(key=lambda m: (-m[0], vocabulary[m[1]], vocabulary[m[2]]))
    hugging_face("bpe_json", dict(
        added_tokens=added(("<unk>", 0), ("<s>", 1), ("</s>", 2)),
        normalizer=dict(type="Sequence", normalizers=[dict(type="Prepend", prepend="▁"), dict(type="Replace", pattern={"String": " "}, content="▁")]),
        pre_tokenizer=None, post_processor=template("<s> $A", "<s> $A <s>:1 $B:1", **{"<s>": 1}),
        decoder=dict(type="Sequence", decoders=[dict(type="Replace", pattern={"String": "▁"}, content=" "), dict(type="ByteFallback"), dict(type="Fuse"),
                                                dict(type="Strip", content=" ", start=1, stop=0)]),
        model=dict(type="BPE", dropout=None, unk_token="<unk>", continuing_subword_prefix=None, end_of_word_suffix=None, fuse_unk=True, byte_fallback=True,
                   ignore_merges=False, vocab=vocabulary, merges=[[a, b] for _, a, b in merges])))
    words = sorted({c for c in CORPUS.lower() if not c.isspace()} | {"##" + c for c in "abcdefghijklmnopqrstuvwxyz"} | set("the fox dog walk talk run price food call long coffee".split())
                   | {"##ing", "##er", "##s", "##ed", "##ization", "##ter", "##national", "in"})
    vocabulary = {t: i for i, t in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + words)}
    hugging_face("word_piece_json", dict(
        added_tokens=added(*((t, vocabulary[t]) for t in ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])),
        normalizer=dict(type="BertNormalizer", clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=True),
        pre_tokenizer=dict(type="BertPreTokenizer"), post_processor=template("[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1", **{"[CLS]": 2, "[SEP]": 3}),
        decoder=dict(type="WordPiece", prefix="##", cleanup=True),
        model=dict(type="WordPiece", unk_token="[UNK]", continuing_subword_prefix="##", max_input_chars_per_word=20, vocab=vocabulary)))


main()
