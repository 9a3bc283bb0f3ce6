/// @file
/// @brief Everything of the library but CUDA. It wants all components: `graft::graft`, `graft::io` (nlohmann-json) and
/// `graft::text` (ICU). A program that needs less, or compiles often, includes the parts: one header a strategy, an
/// operation, a file format.
#pragma once

#include <graft/adaptation/adapter_table.hpp>
#include <graft/adaptation/bitfit.hpp>
#include <graft/adaptation/bottleneck_adapter.hpp>
#include <graft/adaptation/classification_head.hpp>
#include <graft/adaptation/compose.hpp>
#include <graft/adaptation/embedding_only.hpp>
#include <graft/adaptation/full_fine_tuning.hpp>
#include <graft/adaptation/ia3.hpp>
#include <graft/adaptation/infix_tuning.hpp>
#include <graft/adaptation/lora.hpp>
#include <graft/adaptation/mam.hpp>
#include <graft/adaptation/none.hpp>
#include <graft/adaptation/p_tuning.hpp>
#include <graft/adaptation/parallel_adapter.hpp>
#include <graft/adaptation/prefix_tuning.hpp>
#include <graft/adaptation/prompt_tuning.hpp>
#include <graft/adaptation/top_layers.hpp>

#include <graft/autograd/detach.hpp>
#include <graft/autograd/gradcheck.hpp>
#include <graft/autograd/recompute.hpp>
#include <graft/ops/activation.hpp>
#include <graft/ops/arithmetic.hpp>
#include <graft/ops/attention.hpp>
#include <graft/ops/bias.hpp>
#include <graft/ops/cast.hpp>
#include <graft/ops/composite.hpp>
#include <graft/ops/dropout.hpp>
#include <graft/ops/elementary.hpp>
#include <graft/ops/embedding.hpp>
#include <graft/ops/gather.hpp>
#include <graft/ops/linear.hpp>
#include <graft/ops/linear_cross_entropy.hpp>
#include <graft/ops/low_rank.hpp>
#include <graft/ops/lstm.hpp>
#include <graft/ops/matmul.hpp>
#include <graft/ops/norm.hpp>
#include <graft/ops/residual.hpp>
#include <graft/ops/rotary.hpp>
#include <graft/ops/scale_columns.hpp>
#include <graft/ops/scatter.hpp>
#include <graft/ops/softmax.hpp>
#include <graft/ops/sum.hpp>

#include <graft/models/adapt.hpp>
#include <graft/models/adapter_set.hpp>
#include <graft/models/add_adapter.hpp>
#include <graft/models/bart.hpp>
#include <graft/models/bert.hpp>
#include <graft/models/combine.hpp>
#include <graft/models/dense_weights.hpp>
#include <graft/models/gpt2.hpp>
#include <graft/models/llama.hpp>
#include <graft/models/merge.hpp>
#include <graft/models/prefix_scope.hpp>
#include <graft/models/row_limits.hpp>
#include <graft/models/t5.hpp>
#include <graft/models/token_embeddings.hpp>

#include <graft/inspect/inspect.hpp>
#include <graft/inspect/nearest_words.hpp>
#include <graft/kernels/roofline.hpp>

#include <graft/io/adapter.hpp>
#include <graft/io/generation_config.hpp>
#include <graft/io/load_pretrained.hpp>
#include <graft/io/load_tokenizer.hpp>
#include <graft/io/model_config.hpp>
#include <graft/io/npy.hpp>
#include <graft/io/prompt_file.hpp>
#include <graft/io/save_pretrained.hpp>
#include <graft/io/template_file.hpp>

#include <graft/data/fit_rows.hpp>
#include <graft/data/generated.hpp>
#include <graft/data/grouping.hpp>
#include <graft/data/readers.hpp>
#include <graft/data/template.hpp>
#include <graft/data/text_line.hpp>

#include <graft/optim/adafactor.hpp>
#include <graft/optim/adamw.hpp>
#include <graft/optim/clip.hpp>
#include <graft/train/classify.hpp>
#include <graft/train/log_probabilities.hpp>
#include <graft/train/loss.hpp>
#include <graft/train/objective.hpp>
#include <graft/train/recipes.hpp>
#include <graft/train/trainer.hpp>

#include <graft/generate/text.hpp>
#include <graft/text/stream_decoder.hpp>

#include <graft/metrics/bleu.hpp>
#include <graft/metrics/bootstrap.hpp>
#include <graft/metrics/chrf.hpp>
#include <graft/metrics/cider.hpp>
#include <graft/metrics/class_scores.hpp>
#include <graft/metrics/edit_distance.hpp>
#include <graft/metrics/evaluation_files.hpp>
#include <graft/metrics/nist.hpp>
#include <graft/metrics/rouge.hpp>
#include <graft/metrics/rouge_e2e.hpp>
#include <graft/metrics/summed_metric.hpp>
#include <graft/metrics/ter.hpp>

#include <graft/version.hpp>
