#!/usr/bin/env python3
"""Tokenizers: what the files beside a tokenizer.json say, decoded text, and words on what is not followed. Expected values are those of transformers 5 and tokenizers 0.23.3."""

import argparse
import json
import pathlib
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
