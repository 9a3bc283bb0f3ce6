#!/usr/bin/env python3
"""Tokenizers: what the files beside a tokenizer.json say, decoded text, and words on what is not followed. Expected values are those of transformers 5 and tokenizers 0.23.3."""

import argparse
import json
import pathlib
import shutil
import struct
import subprocess
import sys

import faults
import tiny_model

PROGRAM = []


def tokens(tokenizer, texts, *options):
    """Roles, a list of answers to the texts or lists of ids, and standard error."""
    done = subprocess.run([*PROGRAM, str(tokenizer), *options], input="".join(json.dumps(text) + "\n" for text in texts), capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise AssertionError(f"{tokenizer}: {done.stderr}")
    roles, *answers = [json.loads(line) for line in done.stdout.splitlines()]
    return roles, answers, done.stderr


class Reported(faults.FaultTest):
    def ids(self, folder, text, *options):
        return tokens(folder, [text], *options)[1][0]["ids"]

    def test_added_tokens_of_the_other_files_are_found(self):
        folder = self.report("b11")
        self.assertEqual(self.ids(folder / "added_cfg", "<|im_start|>x"), [102, 87])
        self.assertEqual(self.ids(folder / "added_file", "<|im_start|>x"), [102, 87])
        roles, answers, _ = tokens(folder / "special_map", ["<|im_start|>x"])
        self.assertEqual((answers[0]["ids"], roles["pad"]), ([103, 87], 102))

    def test_switches_of_tokenizer_config_count(self):
        folder = self.report("b11")
        self.assertEqual(self.ids(folder / "prefix_cfg", "a cat"), [97, 94, 66, 64, 83])
        self.assertEqual(self.ids(folder / "bert_case", "the Cats", "--template"), [2, 5, 7, 8, 3])

    def test_decoding_keeps_the_space_before_a_normalized_added_token(self):
        folder = self.report("b20")
        texts = ["a hello b", "x <|im_start|>y"]
        _, answers, err = tokens(folder / "spm_legacy_added" / "tokenizer.json", texts)
        self.assertEqual(answers[0]["ids"], [261, 2001, 288])
        self.assertEqual([answer["text"] for answer in answers], texts)
        self.assertEqual([answer["streamed"] for answer in answers], texts)
        self.assertEqual(err, "")

    def test_targets_continue_their_source_where_the_vocabulary_puts_a_space_before_a_text(self):  # b14, which has no vocabulary: b20's
        vocabulary = self.report("b20") / "spm_legacy_added" / "tokenizer.json"
        pairs = [("a hello", "b a"), ("b", "hello"), ("a b a", "a")]
        _, answers, _ = tokens(vocabulary, [{"source": source, "target": target} for source, target in pairs])
        _, whole, _ = tokens(vocabulary, [f"{source} {target}" for source, target in pairs])
        _, alone, _ = tokens(vocabulary, [f" {target}" for _, target in pairs])
        for answer, together, apart in zip(answers, whole, alone):
            self.assertEqual(answer["source"] + answer["target"], together["ids"])
            self.assertNotEqual(answer["target"], apart["ids"])  # what the fault was: a space of its own before the target


class Further(faults.FaultTest):
    """A byte-level tokenizer of 256 bytes and a few merges; `<|end|>` is its only added token, with the last id."""

    def folder_with(self, tokenizer=None, **files):
        folder = self.folder / "tokenizer"
        folder.mkdir(exist_ok=True)
        size, self.end = tiny_model.write_tokenizer(folder)
        self.next = size
        (folder / "tokenizer_config.json").unlink()
        if tokenizer:
            path = folder / "tokenizer.json"
            whole = json.loads(path.read_text())
            tokenizer(whole)
            path.write_text(json.dumps(whole))
        for name, content in files.items():
            (folder / f"{name}.json").write_text(json.dumps(content))
        return folder

    def test_flags_of_tokenizer_config_replace_those_of_tokenizer_json(self):
        listed = {"content": "<|end|>", "special": True, "lstrip": True, "rstrip": True, "normalized": False, "single_word": False}
        folder = self.folder_with(tokenizer_config={"added_tokens_decoder": {"268": listed}})
        self.assertEqual(len(tokens(folder, ["a <|end|> a"])[1][0]["ids"]), 3)

    def test_an_id_that_transformers_does_not_give_is_said(self):
        folder = self.folder_with(tokenizer_config={"added_tokens_decoder": {"900": {"content": "<new>", "special": True}}})
        _, answers, err = tokens(folder, ["<new>"])
        self.assertEqual(answers[0]["ids"], [self.next])
        self.assertIn("added token \"<new>\" is listed with id 900", err)

    def test_split_special_tokens(self):
        folder = self.folder_with(tokenizer_config={"split_special_tokens": True})
        self.assertEqual(len(tokens(folder, ["<|end|>"])[1][0]["ids"]), 7)

    def test_extra_special_tokens_and_named_ones(self):
        folder = self.folder_with(tokenizer_config={"extra_special_tokens": ["<one>"], "image_token": "<image>", "pad_token": "<pad>"})
        roles, answers, _ = tokens(folder, ["<pad><image><one>"])
        self.assertEqual(answers[0]["ids"], [self.next, self.next + 1, self.next + 2])
        self.assertEqual(roles["pad"], self.next)
        self.assertEqual(tokens(folder, ["a<one>"], "--skip")[1][0]["text"], "a")

    def test_both_names_of_the_list_of_special_tokens(self):
        text, y, image, z = "<y><img><z>", "<y>", {"image_token": "<img>"}, "<z>"
        cases = [  # config, map, which of the three tokens there are, in the order of their ids
            ({"additional_special_tokens": [y, z], "extra_special_tokens": image}, {}, ["<img>", y, z]),
            ({"additional_special_tokens": [y, z], "extra_special_tokens": {}}, {}, [y, z]),
            ({"additional_special_tokens": [y], "extra_special_tokens": [z]}, {}, [z]),
            ({"additional_special_tokens": [y], "extra_special_tokens": []}, {}, [y]),
            ({"extra_special_tokens": image}, {"additional_special_tokens": [y, z]}, ["<img>", y, z]),
            ({"extra_special_tokens": []}, {"additional_special_tokens": [y]}, []),
            ({"additional_special_tokens": [z]}, {"additional_special_tokens": [y]}, [z]),
            ({"extra_special_tokens": [z]}, {"extra_special_tokens": [y]}, [z, y]),
            ({}, image, ["<img>"]),
        ]
        for config, special_map, there in cases:
            with self.subTest(config=config, special_map=special_map):
                folder = self.folder_with(tokenizer_config=config, special_tokens_map=special_map)
                answers = tokens(folder, [text, y, "<img>", z])[1]
                expected = [[self.next + there.index(token)] if token in there else None for token in (y, "<img>", z)]
                self.assertEqual([answer["ids"] if len(answer["ids"]) == 1 else None for answer in answers[1:]], expected)
                self.assertEqual(sum(i >= self.next for i in answers[0]["ids"]), len(there))

    def test_a_token_with_a_name_is_special(self):
        def plain(whole):
            whole["added_tokens"][0]["special"] = False

        listed = {"content": "<|end|>", "special": False, "lstrip": False, "rstrip": False, "normalized": False, "single_word": False}
        cases = [  # tokenizer.json, config, map, whether the token is special
            (plain, {"eos_token": "<|end|>"}, {}, True),
            (plain, {"image_token": "<|end|>"}, {}, True),
            (plain, {"extra_special_tokens": {"image_token": "<|end|>"}}, {}, True),
            (plain, {}, {"eos_token": "<|end|>"}, True),
            (plain, {}, {"additional_special_tokens": ["<|end|>"]}, False),
            (plain, {"extra_special_tokens": ["<|end|>"]}, {}, False),
            (plain, {"eos_token": "<|end|>", "added_tokens_decoder": {"268": listed}}, {}, True),
            (plain, {"eos_token": "<|end|>", "added_tokens_decoder": {}}, {}, False),
            (plain, {"additional_special_tokens": ["<|end|>"], "added_tokens_decoder": {"268": listed}}, {}, False),
            (None, {"added_tokens_decoder": {"268": listed}}, {}, True),
        ]
        for tokenizer, config, special_map, special in cases:
            with self.subTest(config=config, special_map=special_map):
                folder = self.folder_with(tokenizer, tokenizer_config=config, special_tokens_map=special_map)
                self.assertEqual(tokens(folder, ["a<|end|>"], "--skip")[1][0]["text"], "a" if special else "a<|end|>")
                folder = self.folder_with(tokenizer, tokenizer_config={**config, "split_special_tokens": True}, special_tokens_map=special_map)
                self.assertEqual(len(tokens(folder, ["<|end|>"])[1][0]["ids"]), 7 if special else 1)

    def test_special_tokens_map_is_read_where_no_added_tokens_are_listed(self):
        token = {"content": "<mask>", "lstrip": True, "rstrip": False, "normalized": False, "single_word": False}
        folder = self.folder_with(special_tokens_map={"mask_token": token, "eos_token": "<|end|>"})
        roles, answers, _ = tokens(folder, ["a <mask>"])
        self.assertEqual((len(answers[0]["ids"]), roles["eos"]), (2, self.end))
        folder = self.folder_with(special_tokens_map={"mask_token": token}, tokenizer_config={"added_tokens_decoder": {}})
        self.assertIn("\"mask_token\" is not read", tokens(folder, ["a"])[2])

    def test_switches_without_effect_are_said(self):
        cases = {"add_bos_token": True, "do_lower_case": True, "strip_accents": True, "tokenize_chinese_chars": True, "add_prefix_space": True, "fix_mistral_regex": True, "never_split": ["a"], "unheard_of": 1}
        for key, value in cases.items():
            folder = self.folder_with(tokenizer_config={"bos_token": "<|end|>", key: value})
            self.assertIn(key, tokens(folder, ["a"])[2])
        folder = self.folder_with(tokenizer_config={"model_max_length": 7, "chat_template": "x", "padding_side": "left", "add_bos_token": False})
        self.assertEqual(tokens(folder, ["a"])[2], "")

    def test_legacy_counts_for_the_class_of_llama_alone(self):
        def metaspace(whole):
            whole["pre_tokenizer"] = {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True}
            whole["decoder"] = {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True}

        for legacy in (False, True):
            folder = self.folder_with(metaspace, tokenizer_config={"tokenizer_class": "PreTrainedTokenizerFast", "legacy": legacy})
            said = tokens(folder, ["a"])[2]
            self.assertEqual("legacy has no effect" in said, not legacy, said)

    def test_what_another_class_makes_of_the_file_is_said(self):
        def digits(whole):
            whole["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": True}, whole["pre_tokenizer"]]}

        folder = self.folder_with(digits, tokenizer_config={"tokenizer_class": "GPT2Tokenizer", "unk_token": "<|end|>", "bos_token": "<|end|>", "eos_token": "<|end|>"})
        self.assertIn("has another pre-tokenizer in transformers", tokens(folder, ["a"])[2])

    def test_a_list_of_added_tokens_that_lacks_one_of_the_file_is_said(self):
        listed = {"content": "<one>", "special": True, "lstrip": False, "rstrip": False, "normalized": False, "single_word": False}
        for name, said in (("GPT2Tokenizer", True), ("TokenizersBackend", False)):
            folder = self.folder_with(tokenizer_config={"tokenizer_class": name, "bos_token": "<one>", "eos_token": "<one>", "unk_token": "<one>", "added_tokens_decoder": {"269": listed}})
            _, answers, err = tokens(folder, ["<|end|>"])
            self.assertEqual((answers[0]["ids"], "added_tokens_decoder lacks \"<|end|>\"" in err), ([self.end], said))

    def test_truncation_and_padding_of_the_file_are_said(self):
        folder = self.folder_with(lambda whole: whole.update(truncation={"direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 0}))
        _, answers, err = tokens(folder, ["a b c d e"])
        self.assertGreater(len(answers[0]["ids"]), 3)
        self.assertIn("truncation is not applied", err)

    def test_unknown_entries_of_the_file_are_said(self):
        def unknown(whole):
            whole["novelty"] = 1
            whole["model"]["novel_flag"] = True
            whole["decoder"]["novel_switch"] = 2

        err = tokens(self.folder_with(unknown), ["a"])[2]
        for name in ("novelty", "novel_flag", "novel_switch"):
            self.assertIn(name, err)

    def test_unknown_ids_are_said_once_when_decoded(self):
        folder = self.folder_with()
        _, answers, err = tokens(folder, [[self.end, 5000], [6000]])
        self.assertEqual([answer["text"] for answer in answers], ["<|end|>", ""])
        self.assertEqual(err.count("ids without a token are left out"), 1)

    def test_spaces_are_cleaned_up_where_the_model_is_not_bpe(self):
        folder = self.folder / "bert"
        folder.mkdir()
        (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "it", "'", "s", "fox", "."]) + "\n")
        (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertTokenizer", "clean_up_tokenization_spaces": True}))
        answer = tokens(folder, ["it's fox."])[1][0]
        self.assertEqual((answer["text"], answer["streamed"]), ("it's fox.", "it's fox."))
        (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertTokenizer"}))
        self.assertEqual(tokens(folder, ["it's fox."])[1][0]["text"], "it ' s fox.")

    def test_unsupported_components_are_refused_by_name(self):
        def model(**changes):
            return lambda whole: whole["model"].update(changes)

        cases = [(model(dropout=0.1), "dropout"), (model(continuing_subword_prefix="##"), "continuing_subword_prefix"), (model(end_of_word_suffix="</w>"), "end_of_word_suffix"),
                 (model(byte_fallback=True), "byte_fallback"), (lambda whole: whole.update(normalizer={"type": "Nmt"}), "Nmt"), (lambda whole: whole.update(decoder={"type": "CTC"}), "CTC")]
        for change, name in cases:
            folder = self.folder_with(change)
            done = subprocess.run([*PROGRAM, str(folder)], input="", capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 1, name)
            self.assertIn(name, done.stderr)


class Classes(faults.FaultTest):
    """What a class of transformers is by itself, beside tables that do not say it or say another thing."""

    def folder_with(self, **files):
        folder = self.folder / "class"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name, content in files.items():
            path = folder / name.replace("__", ".")
            path.write_text(content if isinstance(content, str) else json.dumps(content))
        return folder

    def test_vocab_json_and_merges_are_split_as_the_class_does(self):
        vocabulary = {token: i for i, token in enumerate([*tiny_model.byte_alphabet(), "\u0120a", "ca", "cat", "<|endoftext|>", "12", "<s>", "</s>", "<pad>", "<unk>", "<mask>"])}
        tables = {"vocab__json": vocabulary, "merges__txt": "#version: 0.2\n\u0120 a\nc a\nca t\n1 2\n"}
        qwen2, neox, gpt2 = [64, 220, 258, 16, 17, 220, 127, 102], [64, 220, 258, 260, 220, 127, 102], [64, 220, 258, 260, 220, 68, 136, 223]
        cases = [(None, "qwen2", qwen2), (None, "qwen3", qwen2), ("GPT2Tokenizer", "qwen2", qwen2), ("Qwen2Tokenizer", "llama", qwen2), ("GPT2Tokenizer", "bart", gpt2), (None, "gpt_neox", neox),
                 ("GPTNeoXTokenizer", None, neox), (None, "gpt2", gpt2), (None, "opt", gpt2), (None, "roberta", gpt2), ("RobertaTokenizer", "gpt2", gpt2)]
        for name, kind, expected in cases:
            with self.subTest(name=name, kind=kind):
                folder = self.folder_with(**tables, tokenizer_config__json={"tokenizer_class": name} if name else {}, config__json={"model_type": kind} if kind else {})
                _, answers, err = tokens(folder, ["a cat12 e\u0301"])
                self.assertEqual((answers[0]["ids"], err), (expected, ""))
        _, answers, err = tokens(self.folder_with(**tables, config__json={"model_type": "llama"}), ["a cat12 e\u0301"])
        self.assertEqual(answers[0]["ids"], gpt2)
        self.assertIn("names no tokenizer_class", err)

    def test_white_space_behind_a_word_of_vocab_txt(self):
        vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\ncat \n##s\t\u3000\nis\n"
        folder = self.folder_with(vocab__txt=vocabulary, tokenizer_config__json={"tokenizer_class": "BertTokenizer"})
        self.assertEqual(tokens(folder, ["a cats is"])[1][0]["ids"], [5, 6, 7, 8])

    def said(self, tokenizer, config):
        return tokens(self.folder_with(tokenizer__json=tokenizer, tokenizer_config__json=config), ["a"])[2]

    @staticmethod
    def special(*contents):
        return [{"id": i, "content": content, "special": True, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False} for i, content in enumerate(contents)]

    def test_what_llama_s_class_has_in_place_of_the_file_is_said(self):
        pieces = ["<unk>", "<s>", "</s>", *(f"<0x{i:02X}>" for i in range(256)), "\u2581", "a", "\u2581a"]
        decoders = [{"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]
        metaspace = {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "first", "split": False}
        model = {"type": "BPE", "unk_token": "<unk>", "fuse_unk": True, "byte_fallback": True, "vocab": {piece: i for i, piece in enumerate(pieces)}, "merges": ["\u2581 a"]}
        whole = {"added_tokens": self.special("<unk>", "<s>", "</s>"), "normalizer": None, "pre_tokenizer": metaspace, "post_processor": None, "decoder": {"type": "Sequence", "decoders": decoders}, "model": model}
        config = {"tokenizer_class": "LlamaTokenizer"}
        self.assertEqual(self.said(whole, config), "")
        self.assertEqual(self.said({**whole, "model": {**model, "fuse_unk": False}}, config), "")  # bytes spell everything
        for change in ({"byte_fallback": False}, {"ignore_merges": True}):
            self.assertIn("another model (byte_fallback, ignore_merges or unk_token)", self.said({**whole, "model": {**model, **change}}, config))
        for decoder in ({"type": "Sequence", "decoders": decoders[:3]}, {**metaspace, "split": True}, None):
            self.assertIn("another decoder", self.said({**whole, "decoder": decoder}, config))
            self.assertEqual(self.said({**whole, "decoder": decoder}, {"tokenizer_class": "TokenizersBackend"}), "")

    def test_what_t5_s_and_xlm_r_s_classes_have_in_place_of_the_file_is_said(self):
        metaspace = {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True}
        for name, contents, unknown, single in (("T5Tokenizer", ["<pad>", "</s>", "<unk>"], 2, ["A", "</s>"]), ("XLMRobertaTokenizer", ["<s>", "<pad>", "</s>", "<unk>"], 3, ["<s>", "A", "</s>"])):
            part = lambda token: {"Sequence": {"id": token, "type_id": 0}} if token in "AB" else {"SpecialToken": {"id": token, "type_id": 0}}
            pair = [*single, *(["</s>"] if "<s>" in single else []), "B", "</s>"]
            post = {"type": "TemplateProcessing", "single": [part(token) for token in single], "pair": [part(token) for token in pair],
                    "special_tokens": {token: {"id": token, "ids": [contents.index(token)], "tokens": [token]} for token in single if token != "A"}}
            pieces = [[token, 0.0] for token in contents] + [["\u2581", -2.0], ["a", -3.0], ["\u2581a", -2.5]] + [[f"<0x{i:02X}>", -9.0] for i in range(256)]
            model = {"type": "Unigram", "unk_id": unknown, "byte_fallback": False, "vocab": pieces}
            whole = {"added_tokens": self.special(*contents), "normalizer": None, "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, metaspace]}, "post_processor": post,
                     "decoder": metaspace, "model": model}
            config = {"tokenizer_class": name, "extra_ids": 0} if name == "T5Tokenizer" else {"tokenizer_class": name, "mask_token": "a"}
            self.assertEqual(self.said(whole, config), "")
            for change in ({"byte_fallback": True}, {"unk_id": 4}):
                self.assertIn("another model (byte_fallback or unk_id)", self.said({**whole, "model": {**model, **change}}, config))
            replace = [{"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}]
            for decoder in ({"type": "Sequence", "decoders": replace}, None):
                self.assertIn("another decoder", self.said({**whole, "decoder": decoder}, config))

    def test_what_bert_s_class_has_in_place_of_the_file_is_said(self):
        words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "cat", "##s"]
        part = lambda token, kind: {"Sequence": {"id": token, "type_id": kind}} if token in "AB" else {"SpecialToken": {"id": token, "type_id": kind}}
        single, second = [("[CLS]", 0), ("A", 0), ("[SEP]", 0)], [("B", 1), ("[SEP]", 1)]
        post = {"type": "TemplateProcessing", "single": [part(*p) for p in single], "pair": [part(*p) for p in single + second],
                "special_tokens": {token: {"id": token, "ids": [words.index(token)], "tokens": [token]} for token in ("[CLS]", "[SEP]")}}
        model = {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": {word: i for i, word in enumerate(words)}}
        whole = {"added_tokens": self.special(*words[:5]), "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True},
                 "pre_tokenizer": {"type": "BertPreTokenizer"}, "post_processor": post, "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True}, "model": model}
        config = {"tokenizer_class": "BertTokenizer"}
        self.assertEqual(self.said(whole, config), "")
        self.assertEqual(self.said({**whole, "model": {**model, "unk_token": "[MASK]"}}, {**config, "unk_token": "[MASK]"}), "")
        self.assertIn("another model or unk_token", self.said({**whole, "model": {**model, "unk_token": "[MASK]"}}, config))
        self.assertIn("another model or unk_token", self.said(whole, {**config, "unk_token": "[MASK]"}))
        for change in ({"max_input_chars_per_word": 5}, {"continuing_subword_prefix": "@@"}):
            self.assertIn("another continuing_subword_prefix or max_input_chars_per_word", self.said({**whole, "model": {**model, **change}}, config))


class Gguf(faults.FaultTest):
    """A file with nothing but a byte-level tokenizer."""

    def write(self, **changes):
        def string(text):
            data = text.encode()
            return struct.pack("<Q", len(data)) + data

        def value(v):
            if isinstance(v, bool):
                return struct.pack("<I?", 7, v)
            if isinstance(v, int):
                return struct.pack("<II", 4, v)
            if isinstance(v, str):
                return struct.pack("<I", 8) + string(v)
            kind, pack = (8, string) if isinstance(v[0], str) else (5, lambda item: struct.pack("<i", item))
            return struct.pack("<IIQ", 9, kind, len(v)) + b"".join(pack(item) for item in v)

        alphabet = tiny_model.byte_alphabet()
        entries = {"model": "gpt2", "pre": "gpt-2", "tokens": [*alphabet, "th", "<end>"], "token_type": [1] * 257 + [3], "merges": ["t h"], "eos_token_id": 257, **changes}
        data = struct.pack("<4sIQQ", b"GGUF", 3, 0, sum(v is not None for v in entries.values()))
        for key, v in entries.items():
            if v is not None:
                data += string(key if "." in key else "tokenizer.ggml." + key) + value(v)
        path = self.folder / "tokenizer.gguf"
        path.write_bytes(data + b"\0" * (-len(data) % 32))
        return path

    def test_a_missing_way_of_splitting_is_said(self):
        self.assertEqual(tokens(self.write(), ["this<end>"])[2], "")
        for pre in (None, "default"):
            _, answers, err = tokens(self.write(pre=pre), ["this<end>"])
            self.assertIn("does not name its way of splitting text", err)
            self.assertEqual(answers[0]["ids"][-1], 257)

    def test_an_unknown_way_of_splitting_is_refused(self):
        done = subprocess.run([*PROGRAM, str(self.write(pre="unheard-of"))], input="", capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn('"unheard-of"', done.stderr)

    def test_bos_and_eos_as_the_file_says(self):
        both = {"bos_token_id": 257, "add_bos_token": True, "add_eos_token": True}
        self.assertEqual(tokens(self.write(**both), ["th"], "--template")[1][0]["ids"], [257, 256, 257])
        self.assertEqual(tokens(self.write(bos_token_id=257), ["th"], "--template")[1][0]["ids"], [256])
        self.assertEqual(tokens(self.write(bos_token_id=257, pre="llama-bpe"), ["th"], "--template")[1][0]["ids"], [257, 256])

    def test_entries_that_are_not_followed_are_said(self):
        for key, v in {"remove_extra_whitespaces": True, "add_space_prefix": True, "add_sep_token": True, "unheard_of": 1, "tokenizer.other": "x"}.items():
            self.assertIn(key, tokens(self.write(**{key: v}), ["a"])[2])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--tokens", required=True)
    own, sys.argv[1:] = parser.parse_known_args()
    PROGRAM.append(str(pathlib.Path(own.tokens).resolve()))
    faults.main()
