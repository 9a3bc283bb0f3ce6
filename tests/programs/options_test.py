"""Every option of every program has an effect or is refused: a table with at least one case for each option that a program's --help lists.

A case is `Changes(arguments)`: the run with the option differs from the one without it, in what it prints (times and memory left out) or in what it writes;
`Refused(arguments)`: exit status 2 with a sentence that names the option, and nothing written; or `Elsewhere(why)`: shown by another test or needed by every run.
"""

import hashlib
import json
import re
import shutil
import pathlib

import programs
import tiny_model
from programs import ProgramTest, run

VARYING = ("train_seconds", "seconds", "tokens_per_second", "peak_memory_mib", "output", "generation_seconds", "validation_seconds")


class Changes:
    def __init__(self, *arguments):
        self.arguments = arguments


class Refused:
    def __init__(self, *arguments, says=""):
        self.arguments, self.says = arguments, says


class Elsewhere:
    def __init__(self, why):
        self.why = why


NEEDED = Elsewhere("every run needs it")


def finetune(*changes, method="lora", refused=()):
    """Cases of an option of finetune: changes and refusals, each `value and further options`; the method is the first word where it is one."""
    return [Changes("--method", method, *change) for change in changes] + [Refused("--method", *words) for words in refused]


DEVICE = [Elsewhere("tests/cuda_programs"), Refused("--device", "tpu")]
DTYPE = [Elsewhere("tests/cuda_programs"), Refused("--dtype", "bf16"), Refused("--dtype", "fp16")]

PROFILE = [Elsewhere("profiling_test")]

TABLE = {
    "finetune": {
        "--profile": PROFILE,
        "--device": DEVICE, "--dtype": DTYPE,
        "--model": [NEEDED], "--data": [Elsewhere("--train stands in its place below; adapting_test")], "--train": [NEEDED], "--output": [Refused("--method", "none", "--train", "DATA", "--validation", "DATA", "--output", "OUT")],
        "--validation": finetune(["--validation", "DATA"]), "--rows": finetune(["--rows", "5"]) + [Refused("--method", "none", "--data", "DATA", "--rows", "5")],
        "--format": [Elsewhere("formats_test"), Refused("--method", "lora", "--data", "generated", "--format", "tsv")], "--task": [Elsewhere("formats_test"), Refused("--method", "lora", "--data", "generated", "--task", "dart")],
        "--fields": [Elsewhere("formats_test"), Refused("--method", "lora", "--data", "generated", "--fields", "source=1,target=2"), Refused("--method", "lora", "--fields", "source=1,target=2", "--task", "dart")],
        "--linearize": [Elsewhere("formats_test"), Refused("--method", "lora", "--data", "generated", "--linearize", "tags")], "--language": [Elsewhere("formats_test"), Refused("--method", "lora", "--data", "generated", "--language", "en")],
        "--good-texts": [Elsewhere("formats_test"), Refused("--method", "lora", "--data", "generated", "--good-texts")],
        "--separator": finetune(["--separator", "="]), "--begin-token": finetune(["--begin-token"]), "--json": [Elsewhere("every run here prints it")],
        "--method": finetune([], method="prefix"),
        "--length": finetune(["--length", "3"], method="prefix", refused=[("lora", "--length", "3")]),
        "--hidden": finetune(["--hidden", "4"], method="prefix_mlp", refused=[("prefix", "--hidden", "4"), ("prompt", "--hidden", "4"), ("prefix_lora", "--hidden", "4")]),
        "--init": finetune(["--init", "uniform"], method="prefix", refused=[("lora", "--init", "normal"), ("prefix_mlp", "--init", "uniform"), ("prefix", "--init", "words")]),
        "--init-text": finetune(["--init-text", "pub"], method="prompt", refused=[("lora", "--init-text", "pub"), ("prefix", "--init-text", ""), ("prompt", "--init", "normal", "--init-text", "pub")]),
        "--init-deviation": finetune(["--init-deviation", "0.5"], method="prefix", refused=[("prompt", "--init-deviation", "0.5"), ("prefix", "--init-text", "pub", "--init-deviation", "0.5"),
                                                                                         ("embedding", "--init", "normal", "--init-deviation", "0.5"), ("lora", "--init-deviation", "0.5")]),
        "--dropout": finetune(["--dropout", "0.5"], refused=[("p_tuning", "--dropout", "0.5"), ("prompt", "--dropout", "0.5"), ("full", "--dropout", "0.5")]),
        "--rank": finetune(["--rank", "3"], refused=[("prefix", "--rank", "8"), ("ia3", "--rank", "8"), ("none", "--validation", "DATA", "--rank", "8")]),
        "--alpha": finetune(["--alpha", "3"], refused=[("prefix", "--alpha", "3"), ("lora", "--alpha", "0")]),
        "--targets": finetune(["--targets", "k_proj"], refused=[("prefix", "--targets", "k_proj"), ("adapter", "--targets", "k_proj")]),
        "--bottleneck": finetune(["--bottleneck", "4"], method="adapter", refused=[("lora", "--bottleneck", "4"), ("adapter", "--share", "0.1", "--bottleneck", "4")]),
        "--share": finetune(["--share", "0.1"], method="adapter", refused=[("parallel_adapter", "--share", "0.1"), ("adapter", "--share", "0")]),
        "--placement": finetune(["--placement", "houlsby"], method="adapter", refused=[("parallel_adapter", "--placement", "houlsby")]),
        "--layers": finetune(["--layers", "1"], method="top_layers", refused=[("lora", "--layers", "1"), ("prefix", "--layers", "0")]) + [Changes("--method", "prefix", "--layers", "1")],
        "--set": finetune(["--set", "rank_stabilized=true"], refused=[("lora", "--set", "rnk=3"), ("lora", "--set", "rank"), ("lora", "--rank", "4", "--set", "rank=3"), ("prefix", "--set", "scope=decoder")]),
        "--list-settings": [Elsewhere("settings_test")],
        "--recipe": finetune(["--recipe", "webnlg"]), "--epochs": finetune(["--epochs", "2"], refused=[("lora", "--epochs", "2", "--steps", "3")]), "--steps": finetune(["--steps", "5"]),
        "--batch": finetune(["--batch", "3"], refused=[("lora", "--batch", "0")]), "--accumulate": finetune(["--accumulate", "2"]), "--learning-rate": finetune(["--learning-rate", "0.1"]),
        "--max-tokens": finetune(["--batch", "8", "--max-tokens", "30"], ["--max-tokens", "0", "--batch", "24"]), "--optimizer": finetune(["--optimizer", "adafactor"]), "--schedule": finetune(["--schedule", "constant"]), "--warmup": finetune(["--warmup", "0.5"], ["--schedule", "constant", "--warmup", "0.5"]),
        "--weight-decay": finetune(["--weight-decay", "0.5"]), "--clip": finetune(["--clip", "0.001"]),
        "--validate-every": finetune(["--validation", "DATA", "--validate-every", "1", "--log", "LOG"], refused=[("lora", "--validate-every", "1")]),
        "--patience": finetune(["--validation", "DATA", "--validate-every", "1", "--learning-rate", "1", "--steps", "6", "--patience", "1"], refused=[("lora", "--patience", "1")]),
        "--min-delta": finetune(["--validation", "DATA", "--validate-every", "1", "--steps", "6", "--patience", "1", "--min-delta", "50"], refused=[("lora", "--min-delta", "1"), ("lora", "--validation", "DATA", "--min-delta", "1"),
                                                                                                                                                  ("lora", "--validation", "DATA", "--patience", "0", "--min-delta", "1")]),
        "--max-source": finetune(["--max-source", "6"]), "--max-target": finetune(["--max-target", "4"]), "--too-long": [Elsewhere("tests/faults/requests_test.py")],
        "--recompute": finetune(["--recompute"]) + [Elsewhere("adapting_test: of memory and time alone"), Refused("--method", "none", "--train", "DATA", "--validation", "DATA", "--recompute")],
        "--share-sources": finetune(["--share-sources", "--batch", "4"]) + [Refused("--method", "none", "--train", "DATA", "--validation", "DATA", "--share-sources")],
        "--keep-frozen": finetune(["--layers", "1", "--keep-frozen", "8"], method="top_layers", refused=[("lora", "--keep-frozen", "8"), ("prefix", "--keep-frozen", "8"), ("top_layers", "--layers", "1", "--share-sources", "--keep-frozen", "8")]) + [Refused("--method", "none", "--train", "DATA", "--validation", "DATA", "--keep-frozen", "8")],
        "--seed": finetune(["--seed", "1"]) + [Refused("--method", "none", "--train", "DATA", "--validation", "DATA", "--seed", "1")],
        "--checkpoint": finetune(["--checkpoint", "CHECKPOINT"]), "--checkpoint-every": finetune(["--checkpoint", "CHECKPOINT", "--checkpoint-every", "1"], refused=[("lora", "--checkpoint-every", "1")]),
        "--resume": [Elsewhere("adapting_test")] + finetune(refused=[("lora", "--resume")]), "--log": finetune(["--log", "LOG"]),
    },
    "generate": {
        "--profile": PROFILE,
        "--device": DEVICE, "--dtype": DTYPE,
        "--model": [NEEDED], "--prompt": [Refused("--prompt", "a", "--sources", "SOURCES")], "--sources": [NEEDED], "--adapter": [Changes("--adapter", "ADAPTER")], "--separator": [Changes("--separator", "=")],
        "--begin-token": [Changes("--begin-token")], "--output": [Elsewhere("adapting_test")], "--json": [Changes("--json")], "--greedy": [Elsewhere("it is the default"), Refused("--greedy", "--beams", "2")],
        "--beams": [Changes("--beams", "3", "--json"), Refused("--beams", "2", "--sample")], "--sample": [Changes("--sample")], "--temperature": [Changes("--sample", "--temperature", "9"), Refused("--temperature", "2"),
                                                                                                                                          Refused("--beams", "2", "--temperature", "2")],
        "--top-k": [Changes("--sample", "--top-k", "1"), Refused("--top-k", "2")], "--top-p": [Changes("--sample", "--top-p", "0.01"), Refused("--top-p", "0.5")],
        "--min-p": [Changes("--sample", "--min-p", "0.99"), Refused("--min-p", "0.5")], "--seed": [Changes("--sample", "--seed", "7"), Refused("--seed", "7")],
        "--sequences": [Changes("--sample", "--sequences", "2"), Refused("--sequences", "2")], "--length-penalty": [Changes("--beams", "3", "--json", "--length-penalty", "9"), Refused("--length-penalty", "2")],
        "--max-new": [Changes("--max-new", "3")], "--min-new": [Changes("--min-new", "7", "--adapter", "ENDING")], "--repetition-penalty": [Changes("--repetition-penalty", "50")], "--no-repeat-ngram": [Changes("--no-repeat-ngram", "1")],
        "--batch": [Elsewhere("of speed alone; adapting_test shows that the texts are the same"), Refused("--prompt", "a", "--batch", "2")], "--max-source": [Changes("--max-source", "3")],
        "--too-long": [Elsewhere("tests/faults/requests_test.py")], "--any-base": [Elsewhere("tests/faults/adapter_files_test.py"), Refused("--any-base")],
        "--early-stopping": [Elsewhere("tests/faults/generation_test.py"), Refused("--early-stopping", "true")], "--generation-defaults": [Elsewhere("tests/faults/generation_test.py")],
    },
    "score": {
        "--hypotheses": [NEEDED], "--references": [NEEDED], "--json": [Changes("--json")], "--metrics": [Changes("--metrics", "rouge")],
        "--nist-length": [Changes("--references", "MANY_REFERENCES", "--nist-length", "item"), Refused("--metrics", "bleu", "--nist-length", "item")],
        "--meteor-data": [Elsewhere("tests/metrics/meteor_test.cpp"), Refused("--metrics", "bleu", "--meteor-data", "x")],
        "--meteor-tokens": [Elsewhere("needs METEOR's data"), Refused("--metrics", "bleu", "--meteor-tokens", "treebank")],
        "--cider-tokens": [Changes("--cider-tokens", "none"), Refused("--metrics", "bleu", "--cider-tokens", "none")],
        "--ter-normalize": [Changes("--hypotheses", "MARKS", "--ter-normalize"), Refused("--metrics", "bleu", "--ter-normalize")], "--ter-no-punctuation": [Changes("--ter-no-punctuation"), Refused("--metrics", "bleu", "--ter-no-punctuation")],
        "--ter-case": [Changes("--ter-case"), Refused("--metrics", "bleu", "--ter-case")], "--against": [Changes("--against", "OTHER_TEXTS")], "--domains": [Changes("--domains", "DOMAINS")],
        "--confidence": [Changes("--confidence", "0.5"), Refused("--resamples", "0", "--confidence", "0.5")], "--resamples": [Changes("--resamples", "0")], "--seed": [Changes("--resamples", "3", "--seed", "3"), Refused("--resamples", "0", "--seed", "3")],
        "--tokenization": [Changes("--tokenization", "none"), Refused("--metric", "rouge", "--tokenization", "none")], "--smoothing": [Changes("--hypotheses", "SHORT", "--references", "SHORT_REFERENCES", "--smoothing", "floor"), Refused("--metric", "e2e_rouge", "--smoothing", "floor")],
        "--lowercase": [Changes("--tokenization", "none", "--lowercase"), Refused("--lowercase"), Refused("--metric", "rouge", "--lowercase")],
        "--escapes": [Changes("--hypotheses", "ESCAPED", "--references", "ESCAPED_REFERENCES", "--escapes", "never")],
        "--reference-escapes": [Changes("--hypotheses", "ESCAPED", "--references", "ESCAPED_REFERENCES", "--reference-escapes", "never")],
    },
    "inspect": {"--json": [Changes("--json")]},
    "convert": {
        "--adapter": [NEEDED], "--model": [NEEDED, Refused("--adapter", "PREFIX", "--model", "MODEL", "--output", "OUT.npy")], "--output": [NEEDED], "--json": [Changes("--adapter", "ADAPTER", "--model", "MODEL", "--output", "OUT", "--json")],
        "--format": [Changes("--adapter", "ADAPTER", "--model", "MODEL", "--output", "OUT", "--format", "graft"), Refused("--adapter", "ADAPTER", "--model", "MODEL", "--output", "OUT", "--merge", "--format", "graft", says="--format")],
        "--merge": [Changes("--adapter", "ADAPTER", "--model", "MODEL", "--output", "OUT", "--merge"), Refused("--adapter", "a.npy", "--model", "MODEL", "--output", "OUT", "--merge")],
        "--combine": [Changes("--combine", "ADAPTER:0.5", "--model", "MODEL", "--output", "OUT"), Refused("--adapter", "ADAPTER", "--combine", "ADAPTER:1", "--model", "MODEL", "--output", "OUT")],
        "--combination": [Changes("--combine", "ADAPTER:0.5", "--combine", "ADAPTER:0.5", "--model", "MODEL", "--output", "OUT", "--combination", "cat"), Refused("--adapter", "ADAPTER", "--model", "MODEL", "--output", "OUT", "--combination", "cat")],
        "--rank": [Changes("--combine", "ADAPTER:0.5", "--model", "MODEL", "--output", "OUT", "--rank", "1"), Refused("--combine", "ADAPTER:0.5", "--model", "MODEL", "--output", "OUT", "--combination", "cat", "--rank", "1"),
                   Refused("--adapter", "ADAPTER", "--model", "MODEL", "--output", "OUT", "--rank", "1")],
        "--any-base": [Elsewhere("tests/faults/adapter_files_test.py"), Refused("--adapter", "PREFIX", "--output", "OUT.npy", "--any-base"), Refused("--adapter", "a.npy", "--model", "MODEL", "--output", "OUT", "--any-base")],
    },
    "compare": {
        "--device": DEVICE, "--dtype": DTYPE,
        "--model": [NEEDED], "--data": [Elsewhere("comparing_test")], "--test": [Elsewhere("comparing_test"), Refused("--test", "DATA")], "--methods": [Elsewhere("comparing_test")], "--out": [NEEDED],
        "--row": [Elsewhere("comparing_grids_test")], "--validation": [Elsewhere("comparing_grids_test"), Refused("--validation", "DATA")], "--csv": [Elsewhere("comparing_grids_test")], "--against": [Elsewhere("comparing_grids_test")],
        "--jobs": [Elsewhere("comparing_grids_test")], "--memory": [Elsewhere("comparing_grids_test")], "--merge": [Elsewhere("comparing_grids_test")],
        "--seeds": [Elsewhere("comparing_grids_test"), Refused("--methods", "none", "--seeds", "1,2")], "--split-seed": [Elsewhere("comparing_grids_test")],
        "--quick": [Elsewhere("settings of the others; comparing_test")], "--fresh": [Elsewhere("comparing_test")], "--json": [Elsewhere("comparing_test")],
        "--rows": [Elsewhere("comparing_test"), Refused("--methods", "none", "--rows", "8")], "--epochs": [Refused("--methods", "none,few_shot", "--epochs", "2"), Refused("--steps", "2", "--epochs", "2")],
        "--steps": [Refused("--methods", "none", "--steps", "2")], "--batch": [Refused("--methods", "none", "--batch", "2")], "--recompute": [Elsewhere("comparing_test"), Refused("--methods", "none", "--recompute")],
        "--share-sources": [Elsewhere("comparing_test"), Refused("--methods", "none", "--share-sources"), Refused("--model", "BERT", "--data", "CLASSES", "--methods", "lora", "--share-sources")], "--validation-rows": [Elsewhere("comparing_test")], "--test-sources": [Elsewhere("comparing_test")],
        "--max-new": [Elsewhere("comparing_test"), Refused("--model", "BERT", "--data", "CLASSES", "--methods", "lora", "--max-new", "8")], "--max-source": [Elsewhere("tests/faults/requests_test.py")],
        "--max-target": [Refused("--model", "BERT", "--data", "CLASSES", "--methods", "lora", "--max-target", "8")], "--shots": [Elsewhere("comparing_test"), Refused("--methods", "lora", "--shots", "2")], "--seed": [Elsewhere("comparing_test")],
        "--separator": [Refused("--model", "BERT", "--data", "CLASSES", "--methods", "lora", "--separator", "=")], "--learning-rate": [Refused("--methods", "none", "--learning-rate", "1"), *(Refused("--methods", "lora", "--learning-rate", rates) for rates in ("lora=1,lora=2", "1,2", "lora=1,2", "lora=1,prefix=2"))],
        "--tune": [Elsewhere("comparing_test"), Refused("--methods", "none", "--tune"), Refused("--methods", "lora", "--learning-rate", "0.1", "--tune")],
        **{option: [Elsewhere("comparing_data_test"), Refused("--methods", "lora", option, value)]  # with the generated data
           for option, value in (("--format", "tsv"), ("--task", "dart"), ("--fields", "source=1,target=2"), ("--linearize", "tags"), ("--language", "en"))},
        "--good-texts": [Elsewhere("comparing_data_test"), Refused("--methods", "lora", "--good-texts")],
        "--metrics": [Elsewhere("comparing_data_test"), Refused("--model", "BERT", "--data", "CLASSES", "--methods", "lora", "--metrics", "chrf"), Refused("--methods", "lora", "--metrics", "sorcery")],
        "--meteor-data": [Refused("--methods", "lora", "--meteor-data", "FOLDER")],
    },
    "seq2seq": {
        "--profile": PROFILE,
        "--model": [NEEDED], "--train": [NEEDED], "--validation": [Changes("--validation", "PAIRS"), Refused("--validation", "PAIRS", "--test", "PAIRS", "--train", "")], "--test": [Changes("--test", "PAIRS")],
        "--rows": [Changes("--rows", "5")], "--adapter": [Refused("--adapter", "BART_ADAPTER")], "--output": [Elsewhere("tasks_test")], "--predictions": [Elsewhere("tasks_test"), Refused("--predictions", "OUT")], "--json": [Elsewhere("every run here prints it")],
        "--scope": [Changes("--method", "prefix", "--scope", "decoder"), Refused("--method", "lora", "--scope", "decoder"), Refused("--method", "infix", "--scope", "decoder")],
        "--positions": [Changes("--method", "prefix", "--positions", "shift"), Refused("--method", "lora", "--positions", "shift"), Refused("--method", "infix", "--positions", "shift"), Refused("--model", "T5", "--method", "prefix", "--positions", "keep")],
        "--side": [Changes("--method", "prompt", "--side", "target"), Refused("--method", "prefix", "--side", "target")], "--place": [Changes("--method", "prompt", "--place", "infix"), Refused("--method", "p_tuning", "--place", "infix")],
        "--max-new": [Changes("--test", "PAIRS", "--max-new", "1"), Refused("--max-new", "1")], "--min-new": [Changes("--test", "PAIRS", "--min-new", "9", "--max-new", "9", "--steps", "40", "--method", "full", "--learning-rate", "0.005"), Refused("--min-new", "1")],
        "--beams": [Changes("--test", "PAIRS", "--beams", "4", "--predictions", "OUT"), Refused("--beams", "4")], "--length-penalty": [Refused("--test", "PAIRS", "--length-penalty", "2"), Refused("--length-penalty", "2")],
        "--no-repeat-ngram": [Changes("--test", "PAIRS", "--no-repeat-ngram", "1", "--predictions", "OUT"), Refused("--no-repeat-ngram", "1")], "--too-long": [Elsewhere("tests/faults/requests_test.py")],
        "--any-base": [Elsewhere("tests/faults/adapter_files_test.py"), Refused("--any-base")], "--early-stopping": [Refused("--test", "PAIRS", "--early-stopping", "true"), Refused("--early-stopping", "true")],
        "--repetition-penalty": [Elsewhere("tests/faults/generation_test.py"), Refused("--repetition-penalty", "2")], "--generation-defaults": [Elsewhere("tests/faults/generation_test.py"), Refused("--generation-defaults", "off")],
        "--method": [Changes("--method", "full"), Refused("--train", "", "--test", "PAIRS", "--method", "lora"), Refused("--train", "", "--adapter", "BART_ADAPTER", "--test", "PAIRS", "--method", "lora")],
        "--seed": [Changes("--seed", "1"), Refused("--train", "", "--adapter", "BART_ADAPTER", "--test", "PAIRS", "--seed", "1")],
        "--recompute": [Changes("--recompute"), Refused("--train", "", "--adapter", "BART_ADAPTER", "--test", "PAIRS", "--recompute")], "--patience": [Refused("--patience", "1")], "--min-delta": [Refused("--validation", "PAIRS", "--min-delta", "1")],
        "--share-sources": [Changes("--share-sources"), Refused("--train", "", "--adapter", "BART_ADAPTER", "--test", "PAIRS", "--share-sources")],
    },
    "classify": {
        "--profile": PROFILE,
        "--model": [NEEDED], "--train": [NEEDED], "--validation": [Changes("--validation", "CLASSES")], "--test": [Changes("--test", "CLASSES")], "--text-columns": [Elsewhere("tasks_test"), Refused("--text-columns", "1,2"), Refused("--text-columns", "1,1")], "--label-column": [Elsewhere("tasks_test")],
        "--format": [Elsewhere("formats_test")], "--task": [Elsewhere("formats_test")], "--fields": [Elsewhere("formats_test")],
        "--header": [Changes("--header"), Refused("--fields", "text=1,label=2", "--header")], "--rows": [Changes("--rows", "5"), Refused("--train", "", "--adapter", "BERT_ADAPTER", "--test", "CLASSES", "--rows", "5")], "--max-length": [Changes("--max-length", "3")],
        "--adapter": [Refused("--adapter", "BERT_ADAPTER")], "--output": [Elsewhere("tasks_test")], "--predictions": [Elsewhere("tasks_test"), Refused("--predictions", "OUT")], "--json": [Elsewhere("every run here prints it")],
        "--too-long": [Elsewhere("tests/faults/requests_test.py")], "--any-base": [Elsewhere("tests/faults/adapter_files_test.py"), Refused("--any-base")],
        "--scope": [Refused("--method", "prefix", "--scope", "decoder")], "--positions": [Changes("--output", "OUT", "--method", "prefix", "--positions", "keep"), Refused("--method", "lora", "--positions", "keep")],
        "--side": [Refused("--method", "prompt", "--side", "target")], "--place": [Changes("--output", "OUT", "--method", "prompt", "--place", "infix"), Refused("--method", "prefix", "--place", "infix")],
        "--method": [Changes("--method", "head"), Refused("--train", "", "--adapter", "BERT_ADAPTER", "--test", "CLASSES", "--method", "lora")],
        "--recompute": [Changes("--recompute"), Refused("--train", "", "--adapter", "BERT_ADAPTER", "--test", "CLASSES", "--recompute")],
        "--epochs": [Refused("--train", "", "--adapter", "BERT_ADAPTER", "--test", "CLASSES", "--epochs", "2")], "--patience": [Refused("--patience", "1")], "--min-delta": [Refused("--validation", "CLASSES", "--min-delta", "1")],
    },
}
# The options of strategies and trainings are the same code in three programs: finetune's cases stand for those that the others have too.
SHARED = {option: [Elsewhere("finetune's cases")] for option in TABLE["finetune"]}
for program in ("seq2seq", "classify"):
    TABLE[program] = {**{option: cases for option, cases in SHARED.items() if option not in ("--data", "--separator", "--begin-token", "--recipe", "--accumulate", "--max-source", "--max-target", "--checkpoint", "--checkpoint-every", "--resume")
                      and not (program == "classify" and option in ("--linearize", "--language", "--good-texts", "--share-sources"))},
                      **TABLE[program]}

BASES = {
    "finetune": ("--train", "DATA", "--method", "lora", "--steps", "2", "--output", "OUT", "--json"), "generate": ("--sources", "SOURCES", "--max-new", "8"), "score": ("--hypotheses", "TEXTS", "--references", "REFERENCES"),
    "inspect": (), "convert": (), "compare": ("--out", "OUT"), "seq2seq": ("--train", "PAIRS", "--method", "lora", "--steps", "2", "--json"), "classify": ("--train", "CLASSES", "--method", "lora", "--steps", "2", "--json"),
}
FLAGS = {"--profile", "--ter-normalize", "--ter-no-punctuation", "--ter-case", "--json", "--recompute", "--share-sources", "--any-base", "--begin-token", "--resume", "--greedy", "--sample", "--lowercase", "--merge", "--quick", "--fresh", "--tune", "--header", "--good-texts"}


class Options(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        tiny_model.write_bart(cls.folder / "bart", layers=2)
        tiny_model.write_bert(cls.folder / "bert", ["good", "bad", *(f"word{i}" for i in range(12))])
        tiny_model.write_t5(cls.folder / "t5")
        shutil.copy(pathlib.Path(__file__).parent.parent / "text" / "recorded" / "unigram" / "tokenizer.model", cls.folder / "t5" / "spiece.model")
        cls.names = {"MODEL": cls.model, "DATA": cls.data, "BERT": cls.folder / "bert", "T5": cls.folder / "t5", "ADAPTER": cls.folder / "adapter", "PREFIX": cls.folder / "prefix", "ENDING": cls.folder / "ending",
                     "BART_ADAPTER": cls.folder / "bart_adapter", "BERT_ADAPTER": cls.folder / "bert_adapter", "SOURCES": cls.write("sources.txt", "name : A\nname : B | type : pub\n"),
                     "PAIRS": cls.write("pairs.tsv", "ab\tAB\nba\tBA\naab\tAAB\nbb\tBB\n" * 3), "CLASSES": cls.write("classes.tsv", "".join(f"{word} word{i}\t{label}\n" for i in range(12) for label, word in enumerate(("bad", "good")))),
                     "TEXTS": cls.write("texts.txt", "The pub is open today , near the river .\nB\n"), "REFERENCES": cls.write("references.txt", "the pub is open today , by the river .\n\nC\n"),
                     "MARKS": cls.write("marks.txt", "The pub, is open today.\nB\n"), "OTHER_TEXTS": cls.write("other.txt", "a pub\nC\n"), "DOMAINS": cls.write("domains.txt", "seen\nunseen\n"),
                     "MANY_REFERENCES": cls.write("many_references.txt", "the pub is open today , by the river and more and more words there .\nthe pub\n\nC\n"),
                     "SHORT": cls.write("short.txt", "a b d e f\n"), "ESCAPED": cls.write("escaped.txt", "a\\nb c d e\n"), "ESCAPED_REFERENCES": cls.write("escaped_references.txt", "a\\nb c d e\n"), "SHORT_REFERENCES": cls.write("short_references.txt", "a b c e f\n")}
        run("finetune", "--model", cls.model, "--train", cls.data, "--method", "lora", "--rank", "4", "--learning-rate", "0.05", "--steps", "10", "--output", cls.folder / "adapter")
        run("finetune", "--model", cls.model, "--train", cls.data, "--method", "prompt", "--steps", "1", "--output", cls.folder / "prefix")
        ends = cls.write("ends.tsv", "".join(f"name : {letter}\tx\n" for letter in "ABCD"))
        run("finetune", "--model", cls.model, "--train", ends, "--method", "full", "--learning-rate", "0.01", "--steps", "60", "--output", cls.folder / "ending")
        run("seq2seq", "--model", cls.folder / "bart", "--train", cls.names["PAIRS"], "--method", "lora", "--steps", "1", "--output", cls.folder / "bart_adapter")
        run("classify", "--model", cls.folder / "bert", "--train", cls.names["CLASSES"], "--method", "lora", "--steps", "1", "--output", cls.folder / "bert_adapter")
        cls.models = {"seq2seq": cls.folder / "bart", "classify": cls.folder / "bert"}
        cls.seen = {}

    def command(self, program, arguments, out):
        """The base's options, replaced by the case's where both have one; an empty value takes an option away."""
        given, order = {}, []
        for words in (("--model", self.models.get(program, self.model)) if program not in ("score", "inspect", "convert") else (), BASES[program] if program != "inspect" else (), arguments):
            words, fresh = list(words), set()
            while words:
                option = words.pop(0)
                values = [option] if option in FLAGS else [option, words.pop(0)]
                if option == "--steps" and "--epochs" in given and option not in arguments:
                    continue
                given[option] = given[option] + values if option in fresh else values
                fresh.add(option)
        if "--epochs" in arguments and "--steps" not in arguments:
            given.pop("--steps", None)
        if program == "finetune" and "none" in arguments:
            for option in ("--steps", "--output"):
                if option not in arguments:
                    given.pop(option, None)
        if program == "generate" and "--prompt" in arguments and "--sources" not in arguments:
            given.pop("--sources")
        if program == "finetune" and "--data" in arguments:
            given.pop("--train", None)
        replace = {**self.names, "OUT": out, "OUT.npy": f"{out}.npy", "LOG": f"{out}.log", "CHECKPOINT": f"{out}.checkpoint"}
        words = []
        for option, values in given.items():
            if values[-1] == "" and option in ("--train", "--steps", "--method"):
                continue
            words += [str(replace.get(value, value)) if ":" not in str(value) else str(value).replace("ADAPTER", str(self.names["ADAPTER"])) for value in values]
        if "--train" in given and given["--train"][-1] == "" and program in ("seq2seq", "classify"):  # nothing is trained: the base's own options go too
            for option in ("--method", "--steps"):
                if option not in arguments and option in words:
                    at = words.index(option)
                    del words[at:at + 2]
        if program == "inspect":
            words = [str(self.model), *words]
        return words

    def observe(self, program, arguments):
        """What a run prints and writes, without what differs from run to run."""
        out = self.folder / f"out{len(list(self.folder.glob('out*')))}"
        words = self.command(program, arguments, out)
        key = (program, *(word.replace(str(out), "OUT") for word in words))
        if key not in self.seen:
            text, _ = run(program, *words)
            text = text.replace(str(out), "OUT")
            try:
                text = json.dumps({name: value for name, value in json.loads(text).items() if name not in VARYING})
            except (json.JSONDecodeError, AttributeError):
                pass
            files = {}
            for path in sorted(self.folder.glob(out.name + "*")):
                for file in [path] if path.is_file() else sorted(path.rglob("*")):
                    if file.is_file():
                        data = re.sub(rb'"(seconds|tokens_per_second|time)":[^,}]*', b"", file.read_bytes()) if file.suffix == ".log" else file.read_bytes()
                        files[str(file.relative_to(self.folder)).replace(out.name, "OUT")] = "checkpoint" if "checkpoint" in str(file) else hashlib.sha256(data).hexdigest()
            if not out.exists():
                out.mkdir()  # its name is taken
            self.seen[key] = (text, files)
        return self.seen[key]

    def without(self, program, option, arguments):
        """The same arguments without the option; what needs it or was there to make it legal stays."""
        words, left = list(arguments), []
        while words:
            word = words.pop(0)
            values = [word] if word in FLAGS else [word, words.pop(0)]
            if word != option:
                left += values
        return left

    def check(self, program, option, case):
        if isinstance(case, Elsewhere):
            return
        if isinstance(case, Refused):
            out = self.folder / "refused"
            text, err = run(program, *self.command(program, case.arguments, out), status=2)
            self.assertEqual(text, "")
            self.assertIn(case.says or option, err)
            self.assertFalse(out.exists())
            return
        plain = self.without(program, option, case.arguments)
        if program == "convert" and option == "--combine":
            plain = ["--adapter", "ADAPTER", *plain]
        self.assertNotEqual(self.observe(program, case.arguments), self.observe(program, plain))

    def listed(self, program):
        """The options of a program's --help."""
        text, _ = run(program, "--help")
        return {match for match in re.findall(r"^\s+(?:-\w,)?(--[a-z][a-z0-9-]*)", text, re.M)} - {"--help"}


def add_tests():
    for program in TABLE:
        def an_empty_value_is_refused(self, program=program):
            out = self.folder / "empty"
            needed = {"convert": ("--adapter", "ADAPTER", "--model", "MODEL", "--output", "OUT")}.get(program, ())
            for option in sorted(set(TABLE[program]) - FLAGS - {"--separator", "--prompt"}):  # nothing is something there
                words = self.command(program, needed, out)
                while option in words:
                    at = words.index(option)
                    del words[at:at + 2]
                with self.subTest(f"{program} {option}"):
                    text, err = run(program, *words, option, "", status=2)
                    self.assertEqual(text, "")
                    self.assertRegex(err, f'{option}:? .*(empty|got ""|not in|expected|[Rr]equire)')
                    self.assertFalse(out.exists())

        setattr(Options, f"test_{program}_refuses_an_empty_value", an_empty_value_is_refused)

        def every_option_is_in_the_table(self, program=program):
            self.assertEqual(self.listed(program), set(TABLE[program]))

        setattr(Options, f"test_{program}_has_no_other_options", every_option_is_in_the_table)

        def cases(self, program=program):
            for option, all_cases in TABLE[program].items():
                self.assertTrue(all_cases, option)
                for case in all_cases:
                    with self.subTest(f"{program} {option}", arguments=getattr(case, "arguments", None)):
                        self.check(program, option, case)

        setattr(Options, f"test_{program}_honours_or_refuses", cases)


    def empty_path(self):
        self.assertIn("empty value", run("inspect", "", status=2)[1])

    setattr(Options, "test_inspect_refuses_an_empty_path", empty_path)


add_tests()

if __name__ == "__main__":
    programs.main()
