"""Loads every adapter that peft_test.cpp or peft_encoders_test.cpp wrote with PEFT and compares logits; folders under refused/ must raise; weighted sums under
combined/ are compared with those that PEFT makes of the same adapters.

usage: peft_check.py FOLDER    (exit status 1 if anything differs)
"""

import os
import sys
import warnings

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TQDM_DISABLE"] = "1"

import torch
from peft import PeftConfig, PeftModel
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoModelForSequenceClassification

TOKENS = torch.tensor([[3, 1, 4, 1, 5, 9, 2, 6]])
TARGETS = [7, 8, 5, 4]


def load_base(folder, **options):
    architecture = AutoConfig.from_pretrained(folder).architectures[0]
    kind = (AutoModelForSequenceClassification if "Classification" in architecture else AutoModelForSeq2SeqLM if "Conditional" in architecture else AutoModelForCausalLM)
    return kind.from_pretrained(folder, **options)


def logits_of(model):
    """At every token, every token of the decoder, or of the classes."""
    config = model.config
    if config.is_encoder_decoder:
        start = torch.tensor([[config.decoder_start_token_id, *TARGETS[:-1]]])
        return model(input_ids=TOKENS, decoder_input_ids=start).logits[0]
    logits = model(input_ids=TOKENS, attention_mask=torch.ones_like(TOKENS)).logits
    return logits if logits.dim() == 2 else logits[0, -TOKENS.shape[1]:]


def tolerance(architecture, case):
    """PEFT keeps soft prompts in float32, and LLaMA's RMS norm and rotary angles are float32, whatever the model's type."""
    return 1e-12 if architecture == "gpt2" and case.startswith(("lora", "ia3")) else 1e-5


def adapter_folder(folder):
    """The folder with the files, and the adapter's name."""
    if os.path.exists(os.path.join(folder, "adapter_config.json")):
        return folder, "default"
    (name,) = os.listdir(folder)
    return os.path.join(folder, name), name


def difference(model_folder, folder, name):
    """Relative difference of the logits; the virtual tokens of a prompt have logits of their own, in front."""
    base = load_base(model_folder, dtype=torch.float64)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = PeftModel.from_pretrained(base, folder, adapter_name=name).double().eval()
    missing = [str(w.message) for w in caught if "missing" in str(w.message) or "unexpected" in str(w.message).lower()]
    if missing:
        raise ValueError("PEFT warns: " + "; ".join(missing))
    with torch.no_grad():
        logits = logits_of(model)
    expected = load_file(os.path.join(folder, "logits.safetensors"))["logits"]
    return ((logits - expected).abs().max() / expected.abs().max()).item()


def refuses(model_folder, folder):
    attempts = [
        lambda: PeftConfig.from_pretrained(folder),
        lambda: PeftModel.from_pretrained(load_base(model_folder), folder),
    ]
    for attempt in attempts:
        try:
            attempt()
        except (KeyError, TypeError, ValueError):
            continue
        return False
    return True


def combined(model_folder, folder, case):
    """Relative difference of what the sum of two adapters adds to the weights (or of the vectors by which they are multiplied)."""
    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float64), os.path.join(folder, "red"), adapter_name="red")
    for name in ("blue", "sum"):
        model.load_adapter(os.path.join(folder, name), adapter_name=name)
    model.base_model.add_weighted_adapter(["red", "blue"], [0.7, -0.3], "expected", **({} if case == "ia3" else {"combination_type": case}))
    change = lambda module, name: module.ia3_l[name] if case == "ia3" else module.get_delta_weight(name)
    worst = largest = 0.0
    for module in model.modules():
        held = getattr(module, "ia3_l" if case == "ia3" else "lora_A", {})
        if ("expected" in held) != ("sum" in held):
            return float("inf")
        if "expected" in held:
            with torch.no_grad():
                expected, got = change(module, "expected").double(), change(module, "sum").double()
            worst, largest = max(worst, (got - expected).abs().max().item()), max(largest, expected.abs().max().item())
    return worst / largest


def main(root):
    checked = failed = 0
    for architecture in sorted(entry.name for entry in os.scandir(root) if entry.is_dir()):
        model_folder = os.path.join(root, architecture, "model")
        for verdict in ("accepted", "refused", "combined"):
            cases = os.path.join(root, architecture, verdict)
            for case in sorted(os.listdir(cases)) if os.path.isdir(cases) else []:
                folder = os.path.join(root, architecture, verdict, case)
                if verdict == "combined":
                    result = combined(model_folder, folder, case)
                    good = result <= 1e-6
                elif verdict == "accepted":
                    try:
                        result = difference(model_folder, *adapter_folder(folder))
                        good = result <= tolerance(architecture, case)
                    except ValueError as error:  # PEFT 0.21 has no prefixes for encoders under transformers 5
                        result = good = case == "prefix" and "does not support past key values" in str(error)
                else:
                    result = good = refuses(model_folder, adapter_folder(folder)[0])
                print(f"{architecture}/{verdict}/{case}: {result} {'' if good else 'WRONG'}")
                checked += 1
                failed += not good
    print(f"{checked} adapters checked, {failed} wrong")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
