"""Writes tiny models with random weights as Hugging Face folders, for peft_encoders_test.cpp: FOLDER/<model type>/model. Both stacks have as many layers,
since PEFT takes the number of one for the other.

usage: peft_models.py FOLDER
"""

import os
import sys

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TQDM_DISABLE"] = "1"

import torch
import transformers as t

ENCODER = dict(vocab_size=31, hidden_size=12, num_hidden_layers=3, num_attention_heads=2, intermediate_size=20, max_position_embeddings=40, type_vocab_size=2, num_labels=3,
               hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
T5 = dict(vocab_size=31, d_model=12, d_kv=6, num_heads=2, d_ff=20, num_layers=3, num_decoder_layers=3, relative_attention_num_buckets=8, relative_attention_max_distance=9,
          dropout_rate=0.0, decoder_start_token_id=0)
BART = dict(vocab_size=31, d_model=12, encoder_layers=3, decoder_layers=3, encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=16, decoder_ffn_dim=20,
            max_position_embeddings=40, dropout=0.0, pad_token_id=0, bos_token_id=1, eos_token_id=2, decoder_start_token_id=2)
MODELS = {"t5": lambda: t.T5ForConditionalGeneration(t.T5Config(**T5)),
          "t5_v1_1": lambda: t.T5ForConditionalGeneration(t.T5Config(**T5, feed_forward_proj="gated-gelu", tie_word_embeddings=False)),
          "bart": lambda: t.BartForConditionalGeneration(t.BartConfig(**BART)),
          "bert": lambda: t.BertForSequenceClassification(t.BertConfig(**ENCODER)),
          "roberta": lambda: t.RobertaForSequenceClassification(t.RobertaConfig(**ENCODER, pad_token_id=0))}


def main(root):
    for number, (name, make) in enumerate(MODELS.items()):
        torch.manual_seed(number)
        model = make().double()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(torch.randn_like(parameter) * 0.2)
        model.save_pretrained(os.path.join(root, name, "model"))


if __name__ == "__main__":
    main(sys.argv[1])
