#!/usr/bin/env python3
"""Makes tests/parity/config_goldens: what transformers computes with one tiny random checkpoint an architecture under many variations of its config.json.

Usage: make_config_goldens.py OUTPUT        (torch, transformers 5 and safetensors; CPU only)

Each variation draws one to three changes of keys that transformers knows: values, second spellings beside first ones, nulls, absent keys, keys of old releases; some
change tensors too (old names, missing or differing heads). transformers loads the folder, in float64, and is asked for the logits of a fixed input, or refuses. Tensors
that it would draw at random count as a refusal. <arch>.json holds the variations and the first COLUMNS logits of each position, <arch>.safetensors the checkpoint.
"""

import json
import pathlib
import random
import sys
import tempfile
import warnings

import safetensors.torch
import torch
import transformers
from torch.overrides import TorchFunctionMode

VOCABULARY, WIDTH, HEADS, LAYERS, INNER, POSITIONS, COLUMNS, RANDOM = 40, 16, 2, 2, 24, 32, 6, 50
IDS, SOURCE, TARGET = [7, 12, 31, 4, 22, 9, 17, 38, 5, 26], [11, 6, 29, 33, 8, 21], [14, 35, 10, 27]
ABSENT = "__absent__"


class Float64(TorchFunctionMode):
    """transformers asks for float32 inside norms, rotary angles and softmax; here it gets float64."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if function is torch.Tensor.float:
            return args[0].double()
        wide = lambda value: torch.float64 if value is torch.float32 else value
        return function(*map(wide, args), **{name: wide(value) for name, value in (kwargs or {}).items()})


ROPE = [
    {"rope_theta": 500.0},
    {"rope_theta": 500.0, "rope_parameters": {"rope_type": "default"}},
    {"rope_theta": 500.0, "rope_parameters": {"rope_type": "default", "rope_theta": 70.0}},
    {"rope_parameters": {"rope_type": "linear", "factor": 4.0}},
    {"rope_parameters": ABSENT, "rope_scaling": {"type": "linear", "factor": 2.0}, "rope_theta": 300.0},
    {"rope_parameters": {"rope_type": "default", "rope_theta": 50.0}, "rope_scaling": {"type": "linear", "factor": 2.0}},
    {"rope_parameters": {"rope_type": "linear", "factor": 3.0, "rope_theta": 50.0}, "rope_scaling": {}},
    {"rope_parameters": {"rope_type": "linear", "factor": 3.0, "rope_theta": 50.0}, "rope_scaling": None},
    {"rope_parameters": {"rope_type": "linear", "type": "default", "factor": 3.0}},
    {"rope_parameters": {"rope_type": "default", "type": "linear", "factor": 3.0}},
    {"rope_parameters": {"type": "linear", "factor": 3.0}, "rope_theta": 200.0},
    {"rope_parameters": {"rope_type": "linear"}},
    {"rope_parameters": {"rope_type": None, "type": "linear", "factor": 3.0}},
    {"rope_parameters": None},
    {"rope_parameters": ABSENT},
    {"rope_parameters": {}},
    {"rope_theta": None, "rope_parameters": ABSENT},
    {"rope_parameters": {"rope_type": "llama3", "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 16, "rope_theta": 80.0}},
    {"rope_parameters": {"rope_type": "llama3", "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 16}, "original_max_position_embeddings": 9},
    {"rope_parameters": {"rope_type": "llama3", "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}, "rope_theta": 90.0},
    {"rope_parameters": {"rope_type": "llama3", "factor": 4.0, "low_freq_factor": 1.0}},
    {"rope_parameters": {"rope_type": "dynamic", "factor": 4.0}},
    {"rope_parameters": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 8}},
    {"rope_parameters": {"rope_type": "longrope", "short_factor": [1.0, 1.5, 2.0, 3.0], "long_factor": [2.0, 3.0, 4.0, 5.0], "original_max_position_embeddings": 8}},
    {"partial_rotary_factor": 0.5},
    {"partial_rotary_factor": 1.0},
    {"rope_parameters": {"rope_type": "linear", "factor": "2"}},
    {"rope_scaling": "linear"},
]
DECODER = [
    {"rms_norm_eps": 0.1}, {"rms_norm_eps": 0.0}, {"hidden_act": "gelu"}, {"hidden_act": "gelu_new"}, {"hidden_act": "relu"}, {"hidden_act": "swish"}, {"hidden_act": "tanh"},
    {"hidden_act": "quick_gelu"}, {"hidden_act": "gelu_python_tanh"}, {"num_hidden_layers": 1}, {"num_hidden_layers": 3}, {"num_attention_heads": 4, "head_dim": 4, "num_key_value_heads": 2},
    {"head_dim": None}, {"head_dim": ABSENT}, {"head_dim": 4}, {"num_key_value_heads": None}, {"num_key_value_heads": ABSENT}, {"max_position_embeddings": 64},
    {"tie_word_embeddings": True}, {"tie_word_embeddings": ABSENT}, {"attention_dropout": 0.5}, {"use_cache": False}, {"dtype": ABSENT, "torch_dtype": "bfloat16"},
    {"layer_types": ["full_attention", "full_attention"]}, {"layer_types": ["full_attention"]}, {"layer_types": ["sliding_attention", "full_attention"]}, {"hidden_size": "16"}, {"hidden_size": 16.0},
    {"initializer_range": 0.5}, {"pretraining_tp": 2}, {"eos_token_id": [2, 3]}, {"pad_token_id": 3}, {"vocab_size": 41}, {"temperature": 0.3}, {"no_such_key": 1},
]  # fmt: skip
HEADLESS = [
    {"#": {"drop": ["lm_head.weight"]}, "tie_word_embeddings": True},
    {"#": {"drop": ["lm_head.weight"]}, "tie_word_embeddings": False},
    {"#": {"drop": ["lm_head.weight"]}, "tie_word_embeddings": ABSENT},
]


def embedding_cases(embedding):
    return HEADLESS + [{"#": {"drop": [embedding]}, "tie_word_embeddings": True}, {"#": {"drop": [embedding]}, "tie_word_embeddings": False}]


def llama(kind, extra):
    return dict(hidden_size=WIDTH, num_hidden_layers=LAYERS, num_attention_heads=HEADS, num_key_value_heads=1, intermediate_size=INNER, max_position_embeddings=POSITIONS,
                vocab_size=VOCABULARY, rms_norm_eps=1e-5, tie_word_embeddings=False, hidden_act="silu", bos_token_id=1, eos_token_id=2, pad_token_id=0, head_dim=8,
                rope_parameters={"rope_type": "default", "rope_theta": 100.0}), ROPE + DECODER + extra, extra + embedding_cases("model.embed_tokens.weight")  # fmt: skip


TOWER = [
    {"num_hidden_layers": 1}, {"num_hidden_layers": 3}, {"num_attention_heads": 4}, {"num_attention_heads": 3}, {"hidden_act": "relu"}, {"hidden_act": "gelu_new"},
    {"hidden_act": "gelu_fast"}, {"hidden_act": "gelu_accurate"}, {"hidden_act": "silu"}, {"hidden_act": "mish"}, {"hidden_act": None}, {"layer_norm_eps": 0.1}, {"layer_norm_eps": ABSENT},
    {"hidden_dropout_prob": 0.9}, {"attention_probs_dropout_prob": 0.9}, {"classifier_dropout": 0.9}, {"type_vocab_size": 3}, {"position_embedding_type": "absolute"},
    {"position_embedding_type": "relative_key"}, {"is_decoder": True}, {"add_cross_attention": True}, {"id2label": {"0": "a", "1": "b", "2": "c"}, "num_labels": 2}, {"num_labels": 2}, {"num_labels": 3, "id2label": ABSENT},
    {"num_labels": None, "id2label": ABSENT}, {"id2label": {}}, {"id2label": None}, {"problem_type": "single_label_classification"}, {"max_position_embeddings": 31}, {"use_cache": False},
    {"chunk_size_feed_forward": 0}, {"tie_word_embeddings": False}, {"layer_norm_eps": "1e-5"}, {"gradient_checkpointing": True}, {"pooler_fc_size": 7}, {"is_encoder_decoder": True},
]  # fmt: skip


def tower(pad, extra):
    return dict(hidden_size=WIDTH, num_hidden_layers=LAYERS, num_attention_heads=HEADS, intermediate_size=INNER, max_position_embeddings=POSITIONS, vocab_size=VOCABULARY, type_vocab_size=2,
                layer_norm_eps=1e-5, hidden_act="gelu", pad_token_id=pad, id2label={"0": "a", "1": "b", "2": "c"}), TOWER + extra, [
        {"#": {"rename": [["LayerNorm.weight", "LayerNorm.gamma"], ["LayerNorm.bias", "LayerNorm.beta"]]}},
        {"#": {"rename": [["bert.", ""]]}}, {"#": {"rename": [["LayerNorm.weight", "LayerNorm.gamma"]]}, "hidden_act": "relu"}]  # fmt: skip


GPT2 = [
    {"n_embd": 16, "hidden_size": 32}, {"n_embd": ABSENT, "hidden_size": 16}, {"n_head": 4}, {"n_head": 2, "num_attention_heads": 4}, {"n_head": 3}, {"n_layer": 1}, {"n_layer": 2, "num_hidden_layers": 1},
    {"n_layer": ABSENT}, {"n_positions": 32, "max_position_embeddings": 16}, {"n_positions": ABSENT, "n_ctx": 32}, {"n_ctx": 8}, {"n_inner": None}, {"n_inner": 25}, {"activation_function": "relu"},
    {"activation_function": "gelu"}, {"activation_function": "silu"}, {"activation_function": "sigmoid"}, {"activation_function": ABSENT}, {"layer_norm_epsilon": 0.2}, {"layer_norm_epsilon": ABSENT},
    {"scale_attn_weights": False}, {"scale_attn_weights": None}, {"scale_attn_by_inverse_layer_idx": True}, {"scale_attn_weights": False, "scale_attn_by_inverse_layer_idx": True},
    {"attn_pdrop": 0.7}, {"resid_pdrop": 0.7}, {"summary_type": "mean"}, {"use_cache": False}, {"tie_word_embeddings": False}, {"tie_word_embeddings": ABSENT}, {"add_cross_attention": True},
    {"vocab_size": 39}, {"n_embd": "16"}, {"dtype": ABSENT, "torch_dtype": "float16"}, {"is_decoder": True}, {"initializer_range": 1.0}, {"eos_token_id": None}, {"rope_theta": 3.0},
]  # fmt: skip
T5 = [
    {"feed_forward_proj": "gelu"}, {"feed_forward_proj": "gelu_new"}, {"feed_forward_proj": "gated-gelu"}, {"feed_forward_proj": "silu"}, {"feed_forward_proj": "foo-relu"}, {"feed_forward_proj": ABSENT},
    {"dense_act_fn": "gelu_new"}, {"dense_act_fn": "gelu_new", "feed_forward_proj": "relu", "is_gated_act": False}, {"is_gated_act": True}, {"tie_word_embeddings": False}, {"tie_word_embeddings": None},
    {"tie_word_embeddings": ABSENT}, {"scale_decoder_outputs": False}, {"scale_decoder_outputs": True, "tie_word_embeddings": False}, {"scale_decoder_outputs": None}, {"num_layers": 1}, {"num_layers": 2, "num_hidden_layers": 1, "num_decoder_layers": ABSENT},
    {"num_layers": ABSENT, "num_hidden_layers": 2}, {"num_decoder_layers": 1}, {"num_decoder_layers": None}, {"num_decoder_layers": ABSENT}, {"num_heads": 2, "num_attention_heads": 4}, {"d_kv": 8, "head_dim": 4}, {"d_kv": 4, "num_heads": 4},
    {"layer_norm_epsilon": 0.2}, {"layer_norm_epsilon": ABSENT}, {"relative_attention_num_buckets": 16}, {"relative_attention_max_distance": 9}, {"relative_attention_max_distance": ABSENT}, {"dropout_rate": 0.8},
    {"initializer_factor": 3.0}, {"is_decoder": True}, {"is_encoder_decoder": False}, {"decoder_start_token_id": 3}, {"pad_token_id": 3}, {"use_cache": False}, {"d_model": 16, "hidden_size": 8}, {"n_positions": 5}, {"classifier_dropout": 0.4},
]  # fmt: skip
BART = [
    {"encoder_layers": 1}, {"encoder_layers": 2, "num_hidden_layers": 1}, {"decoder_layers": 1}, {"encoder_layers": ABSENT, "num_hidden_layers": 2}, {"encoder_attention_heads": 4}, {"encoder_attention_heads": 2, "num_attention_heads": 4},
    {"decoder_attention_heads": 4}, {"decoder_attention_heads": 1}, {"d_model": 16, "hidden_size": 8}, {"activation_function": "relu"}, {"activation_function": "gelu_new"}, {"activation_function": "swish"}, {"activation_function": "hardswish"}, {"activation_function": ABSENT},
    {"scale_embedding": True}, {"scale_embedding": None}, {"max_position_embeddings": 31}, {"dropout": 0.9}, {"encoder_layerdrop": 0.9}, {"decoder_layerdrop": 0.9}, {"activation_dropout": 0.9}, {"normalize_before": False},
    {"normalize_before": True}, {"add_final_layer_norm": True}, {"normalize_embedding": True}, {"static_position_embeddings": False}, {"extra_pos_embeddings": 2}, {"decoder_start_token_id": 3}, {"decoder_start_token_id": ABSENT},
    {"tie_word_embeddings": ABSENT}, {"tie_word_embeddings": False}, {"is_decoder": True}, {"is_encoder_decoder": False}, {"pad_token_id": 3}, {"use_cache": False}, {"forced_eos_token_id": 5}, {"init_std": 1.0}, {"id2label": {"0": "a"}},
]  # fmt: skip
EMBEDDINGS = lambda shared, encoder, decoder: [
    {"#": {"copy": [[shared, encoder, 1.0], [shared, decoder, 1.0]]}},
    {"#": {"copy": [[shared, encoder, 1.0], [shared, decoder, 2.0]]}},
    {"#": {"copy": [[shared, encoder, 1.0]], "drop": [shared]}},
    {"#": {"copy": [[shared, decoder, 1.0]], "drop": [shared]}},
    {"#": {"copy": [[shared, "lm_head.weight", 1.0]]}},
    {"#": {"copy": [[shared, "lm_head.weight", -0.5]]}},
    {"#": {"copy": [[shared, "lm_head.weight", -0.5]]}, "tie_word_embeddings": False},
    {"#": {"copy": [[shared, "lm_head.weight", -0.5], [shared, encoder, 1.0], [shared, decoder, 1.0]]}, "tie_word_embeddings": False},
    {"#": {"copy": [[shared, "lm_head.weight", 1.0]], "drop": [shared]}},
]

GPT2_BASE = dict(n_embd=WIDTH, n_layer=LAYERS, n_head=HEADS, n_inner=INNER, n_positions=POSITIONS, vocab_size=VOCABULARY, activation_function="gelu_new", layer_norm_epsilon=1e-5, bos_token_id=1, eos_token_id=2)
T5_BASE = dict(d_model=WIDTH, d_kv=8, d_ff=INNER, num_layers=LAYERS, num_decoder_layers=LAYERS, num_heads=HEADS, vocab_size=VOCABULARY, relative_attention_num_buckets=8, relative_attention_max_distance=20,
               feed_forward_proj="relu", layer_norm_epsilon=1e-5, pad_token_id=0, eos_token_id=1, decoder_start_token_id=0, tie_word_embeddings=True)  # fmt: skip
BART_BASE = dict(d_model=WIDTH, encoder_layers=LAYERS, decoder_layers=LAYERS, encoder_attention_heads=HEADS, decoder_attention_heads=HEADS, encoder_ffn_dim=INNER, decoder_ffn_dim=INNER, vocab_size=VOCABULARY,
                 max_position_embeddings=POSITIONS, activation_function="gelu", pad_token_id=1, bos_token_id=0, eos_token_id=2, decoder_start_token_id=2, tie_word_embeddings=True)  # fmt: skip

#: name → (class, (configuration, changes to draw from, changes that are all taken))
ARCHITECTURES = {
    "gpt2": ("GPT2LMHeadModel", (GPT2_BASE, GPT2, [
        {"#": {"copy": [["transformer.wte.weight", "lm_head.weight", 1.0]]}}, {"#": {"copy": [["transformer.wte.weight", "lm_head.weight", -0.5]]}}, {"#": {"rename": [["transformer.", ""]]}},
        {"#": {"copy": [["transformer.wte.weight", "lm_head.weight", -0.5]]}, "tie_word_embeddings": False}, {"#": {"copy": [["transformer.wte.weight", "lm_head.weight", -0.5]], "drop": ["transformer.wte.weight"]}}])),
    "llama": ("LlamaForCausalLM", llama("llama", [{"attention_bias": True}, {"mlp_bias": True}, {"attention_bias": False}, {"sliding_window": 4}])),
    "mistral": ("MistralForCausalLM", llama("mistral", [{"sliding_window": 4}, {"sliding_window": None}, {"sliding_window": 30}, {"sliding_window": ABSENT}, {"attention_bias": True}])),
    "qwen2": ("Qwen2ForCausalLM", llama("qwen2", [{"use_sliding_window": True, "sliding_window": 4, "max_window_layers": 1}, {"use_sliding_window": True, "sliding_window": 4, "max_window_layers": 2}, {"use_sliding_window": False, "sliding_window": 4},
                                                 {"use_sliding_window": True, "sliding_window": 30, "max_window_layers": 0}, {"attention_bias": False}, {"mlp_bias": True}])),
    "t5": ("T5ForConditionalGeneration", (T5_BASE, T5, EMBEDDINGS("shared.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight"))),
    "bart": ("BartForConditionalGeneration", (BART_BASE, BART, EMBEDDINGS("model.shared.weight", "model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight"))),
    "bert": ("BertForSequenceClassification", tower(0, [{"pad_token_id": 3}, {"pad_token_id": None}])),
    "roberta": ("RobertaForSequenceClassification", tower(1, [{"pad_token_id": 3}, {"pad_token_id": 0}, {"pad_token_id": ABSENT}, {"pad_token_id": None}])),
}  # fmt: skip


def checkpoint(name, model_class, base):
    """Random float32 tensors under transformers' names; the head of a decoder is its own, so that tying it matters."""
    config = transformers.AutoConfig.for_model(name, **{key: value for key, value in base.items()})
    model = getattr(transformers, model_class)(config)
    draw = torch.Generator().manual_seed(sorted(ARCHITECTURES).index(name))
    tensors = {}
    for key, tensor in model.state_dict().items():
        if key.endswith(("embed_tokens.weight", "lm_head.weight")) and name in ("t5", "bart") or name == "gpt2" and key == "lm_head.weight":
            continue
        if any(part in key for part in (".position_ids", ".token_type_ids")):
            continue
        centre = 1.0 if key.endswith("weight") and tensor.dim() == 1 else 0.0
        tensors[key] = (centre + torch.randn(tensor.shape, generator=draw) * 0.25).float().contiguous()
    return tensors


def changed(tensors, operations):
    tensors = dict(tensors)
    for source, target, factor in operations.get("copy", []):
        tensors[target] = tensors[source] * factor
    for name in operations.get("drop", []):
        del tensors[name]
    for old, new in operations.get("rename", []):
        tensors = {name.replace(old, new): tensor for name, tensor in tensors.items()}
    return tensors


def run(model_class, folder):
    with Float64():
        model, info = getattr(transformers, model_class).from_pretrained(folder, dtype=torch.float64, attn_implementation="eager", output_loading_info=True)
        for kind in ("missing_keys", "mismatched_keys"):
            if info[kind]:
                raise ValueError(f"{kind}: {sorted(map(str, info[kind]))[0]}")
        model.eval()
        with torch.no_grad():
            if "Conditional" in model_class:
                logits = model(input_ids=torch.tensor([SOURCE]), labels=torch.tensor([TARGET])).logits[0]
            else:
                logits = model(input_ids=torch.tensor([IDS])).logits[0]
    assert logits.dtype == torch.float64 and torch.isfinite(logits).all()
    return [[float(f"{value:.13g}") for value in row[:COLUMNS]] for row in logits.reshape(-1, logits.shape[-1]).tolist()]


def variations(pool, fixed, draw, computed):
    """The changes that are all taken, then RANDOM drawn ones, and more until transformers has computed 40 of them."""
    yield {}
    yield from fixed
    seen = 0
    while seen < RANDOM or computed() < 40:
        picks = draw.sample(pool, draw.choice([1, 1, 2, 3]))
        keys = [key for pick in picks for key in pick]
        if len(set(keys)) == len(keys):
            seen += 1
            yield {key: value for pick in picks for key, value in pick.items()}


def main():
    output = pathlib.Path(sys.argv[1])
    output.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    for number, (name, (model_class, (base, pool, fixed))) in enumerate(ARCHITECTURES.items()):
        base = {"model_type": name, "architectures": [model_class], "dtype": "float32", **base}
        tensors = checkpoint(name, model_class, {key: value for key, value in base.items() if key not in ("model_type", "architectures", "dtype")})
        safetensors.torch.save_file(tensors, output / f"{name}.safetensors", {"format": "pt"})
        cases = []
        for change in variations(pool, fixed, random.Random(100 + number), lambda: sum("logits" in case for case in cases)):
            operations = change.get("#", {})
            case = {"set": {key: value for key, value in change.items() if key != "#" and value != ABSENT}, "absent": [key for key, value in change.items() if value == ABSENT]}
            case |= {"tensors": operations} if operations else {}
            config = {key: value for key, value in (base | case["set"]).items() if key not in case["absent"]}
            with tempfile.TemporaryDirectory() as folder:
                (pathlib.Path(folder) / "config.json").write_text(json.dumps(config))
                safetensors.torch.save_file({key: tensor.contiguous().clone() for key, tensor in changed(tensors, operations).items()}, pathlib.Path(folder) / "model.safetensors", {"format": "pt"})
                try:
                    case["logits"] = run(model_class, folder)
                except Exception as error:  # whatever it is: transformers gives no logits
                    case["refused"] = f"{type(error).__name__}: {' '.join(str(error).split())}".replace(folder, "")[:100]
            cases.append(case)
        text = ",\n ".join(json.dumps(case, separators=(",", ":")) for case in cases)
        (output / f"{name}.json").write_text(f'{{"config": {json.dumps(base)},\n"cases": [\n {text}]}}\n')
        print(name, len(cases), "variations,", sum("logits" in case for case in cases), "computed")


if __name__ == "__main__":
    main()
