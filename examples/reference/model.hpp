// A whole transformer with every strategy, in plain numbers: made to be read from top to bottom. One text at a time,
// all numbers double, matrices of Eigen, no gradients, nothing shared, cached or clever. What the library computes is
// tested against it. Letters in the shapes: T tokens of the row (virtual ones included), C width of the states, H heads
// of D numbers, G heads of keys and values (G < H where several heads share them), P and I virtual keys of a prefix and
// of an infix, F width inside the feed-forward, V words of the vocabulary.
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include <Eigen/Core>

namespace reference {

using Matrix = Eigen::MatrixXd;
using Row = Eigen::RowVectorXd;

// ---- The parts of a model, with what strategies add to each -------------------------------------------------------

enum class Kind { gpt2, llama, bert };
enum class Curve { gelu, gelu_tanh, silu, relu, tanh };

struct Config {
  Kind kind = Kind::gpt2;
  int heads = 1, kv_heads = 1, head_dim = 1;  // H, G, D
  double epsilon = 1e-5;                      // of the norms
  std::vector<double> frequencies;            // of LLaMA's rotary positions: [D / 2]
  Curve curve = Curve::gelu_tanh;             // of the feed-forward
  int position_offset = 0;                    // rows of the table of positions before that of position 0
};

// y = x Wᵀ + b. Full fine-tuning, top layers and BitFit change weight and bias themselves. LoRA adds a product of two
// thin matrices; (IA)³ scales what goes in or what comes out.
struct Linear {
  Matrix weight;                  // [out, in]
  Row bias;                       // [out], or empty
  Matrix lora_a, lora_b;          // [rank, in], [out, rank], or empty
  double lora_scale = 1;          // alpha / rank
  Row input_scale, output_scale;  // [in], [out], or empty

  Matrix operator()(Matrix x) const {                                                        // x: [T, in]
    if (input_scale.size() > 0) x = x * input_scale.asDiagonal();                            // [T, in]
    Matrix y = x * weight.transpose();                                                       // [T, out]
    if (bias.size() > 0) y.rowwise() += bias;                                                // [T, out]
    if (lora_a.size() > 0) y += lora_scale * (x * lora_a.transpose()) * lora_b.transpose();  // [T, out]
    if (output_scale.size() > 0) y = y * output_scale.asDiagonal();                          // [T, out]
    return y;
  }
};

struct Norm {
  Row gain, bias;  // [C]; LLaMA's has no bias
};

// Virtual keys and values of one layer: a prefix stands before the row, an infix before the last token of the source.
struct VirtualKeys {
  Matrix keys, values;  // [P or I, G · D], or empty
};

// A bottleneck adapter: s · up(f(down(x))). Houlsby and Pfeiffer put it behind a sublayer, others between layers or
// beside a sublayer (parallel).
struct Adapter {
  Linear down, up;  // [bottleneck, C], [C, bottleneck], or empty
  Curve curve = Curve::gelu;
  double scale = 1;
};

struct Block {
  Norm attention_norm, feed_forward_norm;
  Linear query_key_value;            // GPT-2 has one product for all three: [3 · C, C]
  Linear query, key, value, output;  // [H · D, C], [G · D, C], [G · D, C], [C, H · D]
  Linear up, gate, down;             // [F, C], LLaMA's gate [F, C], [C, F]
  VirtualKeys prefix, infix;
  Adapter after_attention, after_feed_forward, after_block, beside_attention, beside_feed_forward;
};

struct Model {
  Config config;
  Matrix tokens;        // [V, C]
  Matrix positions;     // [positions, C]; LLaMA has none
  Matrix token_types;   // [types, C] of BERT
  Norm embedding_norm;  // of BERT
  std::vector<Block> blocks;
  Norm final_norm;            // of GPT-2 and LLaMA
  Matrix head;                // [V, C]: often the same numbers as `tokens`
  Linear pooler, classifier;  // of BERT: [C, C], [classes, C]

  // Virtual tokens, which pass through the model as if they were words: prompt tuning, embedding-only tuning, P-tuning.
  Matrix front_tokens, infix_tokens;  // [virtual tokens, C], or empty
  // How far virtual keys and tokens push the positions behind them: their number, or 0 where words keep their
  // positions.
  int prefix_positions = 0, infix_positions = 0, front_token_positions = 0, infix_token_positions = 0;
  // Whether BERT's head reads the first virtual token in place of the first word.
  bool classifies_first_virtual = false;
};

// A text: source and target in one row. The states at the last source token and behind it predict the target.
struct Text {
  std::vector<int> tokens;
  int source = 0;  // how many of them are source
  int label = -1;  // of a text that BERT classifies, which is source alone
};

// What `states` may tell of its way, for those who look inside.
struct Trace {
  std::vector<Matrix> attention;  // of every layer and head, in this order: weights [T, P + T + I]
  std::vector<Matrix> states;     // the embeddings, and every layer's result: [T, C]
};

// ---- Small functions ---------------------------------------------------------------------------------------------

inline double curve(Curve f, double x) {
  if (f == Curve::gelu) return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
  if (f == Curve::gelu_tanh) return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
  if (f == Curve::silu) return x / (1 + std::exp(-x));
  if (f == Curve::relu) return x > 0 ? x : 0;
  return std::tanh(x);
}
inline Matrix curve(Curve f, Matrix const& x) {
  return x.unaryExpr([f](double value) { return curve(f, value); });  // [T, F]
}

inline int count(Matrix const& x) { return static_cast<int>(x.rows()); }

// a above b above c, each of the same width or empty.
inline Matrix stack(Matrix const& a, Matrix const& b, Matrix const& c) {
  Matrix all(a.rows() + b.rows() + c.rows(), b.cols());
  if (a.size() > 0) all.topRows(a.rows()) = a;
  all.middleRows(a.rows(), b.rows()) = b;
  if (c.size() > 0) all.bottomRows(c.rows()) = c;
  return all;
}

// Layer norm: (x − mean) / √(variance + ε) · gain + bias, of every token for itself. LLaMA's RMS norm leaves out the
// mean and the bias.
inline Matrix norm(Config const& config, Norm const& n, Matrix x) {                                      // [T, C]
  if (config.kind != Kind::llama) x.colwise() -= x.rowwise().mean().eval();                              // [T, C]
  Eigen::VectorXd const size = (x.rowwise().squaredNorm() / double(x.cols())).array() + config.epsilon;  // [T]
  Matrix y = size.cwiseSqrt().cwiseInverse().asDiagonal() * x * n.gain.asDiagonal();                     // [T, C]
  if (n.bias.size() > 0) y.rowwise() += n.bias;                                                          // [T, C]
  return y;
}

// Every row to weights that sum to 1: exp(score) / Σ exp(score).
inline Matrix softmax(Matrix scores) {                       // [T, keys]
  scores.colwise() -= scores.rowwise().maxCoeff().eval();    // the same weights, and no overflow
  Matrix const e = scores.array().exp();                     // [T, keys]
  return e.rowwise().sum().cwiseInverse().asDiagonal() * e;  // [T, keys]
}

inline Matrix adapter(Adapter const& a, Matrix const& x) {                 // [T, C]
  if (a.down.weight.size() == 0) return Matrix::Zero(x.rows(), x.cols());  // none here
  return a.scale * a.up(curve(a.curve, a.down(x)));                        // [T, bottleneck] → [T, C]
}

// ---- Trained through a network that is dropped afterwards --------------------------------------------------------

// Prefix tuning (Li & Liang) trains a small matrix and an MLP: bank = second(tanh(first(input))).
inline Matrix mlp_bank(Matrix const& input, Linear const& first, Linear const& second) {
  return second(curve(Curve::tanh, first(input)));  // [P, input] → [P, hidden] → [P, out]
}
// P-tuning's MLP has two hidden layers with ReLU; its results are virtual tokens.
inline Matrix p_tuning_tokens(Matrix const& input, Linear const& first, Linear const& second, Linear const& third) {
  return third(curve(Curve::relu, second(curve(Curve::relu, first(input)))));  // [P, C]
}

// A bank holds keys and values of all layers beside each other, [P, layers · 2 · G · D]: layer 0's keys, its values,
// layer 1's keys, … It is cut into the layers that are named.
inline void set_bank(Model& m, Matrix const& bank, std::vector<int> const& layers, bool infix, bool shifts) {
  int const width = m.config.kv_heads * m.config.head_dim;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    int const first = static_cast<int>(i) * 2 * width;
    Block& block = m.blocks[static_cast<std::size_t>(layers[i])];
    VirtualKeys& place = infix ? block.infix : block.prefix;
    place.keys = bank.middleCols(first, width);            // [P, G · D]
    place.values = bank.middleCols(first + width, width);  // [P, G · D]
  }
  (infix ? m.infix_positions : m.prefix_positions) = shifts ? count(bank) : 0;
}

// ---- The forward pass --------------------------------------------------------------------------------------------

// A row on its way through the layers.
struct Sequence {
  Matrix x;                    // [T, C]
  std::vector<int> positions;  // [T]
  std::vector<int> words;      // where the text's own tokens are
  int infix_from = 0;          // the first token that sees the infix
};

// Words and virtual tokens become vectors, one behind the other:
// [front tokens] [source but its last token] [infix tokens] [last source token] [target].
inline Sequence embed(Model const& m, Text const& text) {
  Sequence s;
  s.x.resize(count(m.front_tokens) + count(m.infix_tokens) + static_cast<int>(text.tokens.size()), m.tokens.cols());
  auto const add = [&](Row const& vector, int position) {  // vector: [C]
    s.x.row(static_cast<int>(s.positions.size())) = vector;
    s.positions.push_back(position);
  };
  int shift = m.prefix_positions;  // how much later a word stands than in a row without a strategy
  for (int k = 0; k < count(m.front_tokens); ++k) add(m.front_tokens.row(k), shift + k);
  shift += m.front_token_positions;
  s.infix_from = std::numeric_limits<int>::max();
  for (int i = 0; i < static_cast<int>(text.tokens.size()); ++i) {
    if (i == text.source - 1) {
      s.infix_from = static_cast<int>(s.positions.size());
      shift += m.infix_positions;
      for (int k = 0; k < count(m.infix_tokens); ++k) add(m.infix_tokens.row(k), i + shift + k);
      shift += m.infix_token_positions;
    }
    s.words.push_back(static_cast<int>(s.positions.size()));
    add(m.tokens.row(text.tokens[static_cast<std::size_t>(i)]), i + shift);
  }
  if (m.config.kind != Kind::llama)  // LLaMA turns keys and queries by their positions instead
    for (int t = 0; t < count(s.x); ++t)
      s.x.row(t) += m.positions.row(s.positions[static_cast<std::size_t>(t)] + m.config.position_offset);
  if (m.config.kind == Kind::bert) {
    s.x.rowwise() += m.token_types.row(0);        // one segment
    s.x = norm(m.config, m.embedding_norm, s.x);  // [T, C]
  }
  return s;
}

// Rotary positions: the pair (j, j + D/2) of every head is turned by the angle position · frequency j.
inline Matrix rotate(Config const& config, Matrix x, std::vector<int> const& positions) {  // [T, heads · D]
  int const half = config.head_dim / 2;
  for (int t = 0; t < count(x); ++t)
    for (int h = 0; h < x.cols() / config.head_dim; ++h)
      for (int j = 0; j < half; ++j) {
        double const angle = positions[static_cast<std::size_t>(t)] * config.frequencies[static_cast<std::size_t>(j)];
        int const at = h * config.head_dim + j;
        double const a = x(t, at), b = x(t, at + half);
        x(t, at) = a * std::cos(angle) - b * std::sin(angle);
        x(t, at + half) = b * std::cos(angle) + a * std::sin(angle);
      }
  return x;
}

// softmax(Q Kᵀ / √D) V, head by head. Keys are the prefix's, the row's own and the infix's.
inline Matrix attend(Config const& c, Block const& block, Matrix const& q, Matrix const& k, Matrix const& v,
                     int infix_from, Trace* trace) {  // [T, H · D], [T, G · D], [T, G · D]
  int const tokens = count(q), prefix = count(block.prefix.keys), dim = c.head_dim;
  Matrix const keys = stack(block.prefix.keys, k, block.infix.keys);        // [P + T + I, G · D]
  Matrix const values = stack(block.prefix.values, v, block.infix.values);  // [P + T + I, G · D]
  Matrix out(tokens, c.heads * dim);                                        // [T, H · D]
  for (int h = 0; h < c.heads; ++h) {
    int const g = h / (c.heads / c.kv_heads);  // whose keys and values it reads
    Matrix scores = q.middleCols(h * dim, dim) * keys.middleCols(g * dim, dim).transpose() / std::sqrt(double(dim));
    for (int i = 0; i < tokens; ++i)
      for (int j = 0; j < count(keys); ++j) {
        bool seen = true;                                                                        // the prefix: by all
        if (j >= prefix && j < prefix + tokens) seen = c.kind == Kind::bert || j - prefix <= i;  // not a later word
        if (j >= prefix + tokens) seen = i >= infix_from;  // the infix: from its place on
        if (!seen) scores(i, j) = -std::numeric_limits<double>::infinity();
      }
    Matrix const weights = softmax(scores);  // [T, P + T + I]
    if (trace) trace->attention.push_back(weights);
    out.middleCols(h * dim, dim) = weights * values.middleCols(g * dim, dim);  // [T, D]
  }
  return out;
}

// One layer. GPT-2 and LLaMA norm what a sublayer reads: x + f(norm(x)); BERT norms the sum: norm(x + f(x)).
inline Matrix forward(Config const& c, Block const& b, Sequence const& s, Trace* trace) {
  bool const norm_before = c.kind != Kind::bert;
  Matrix x = s.x;  // [T, C]

  Matrix const input = norm_before ? norm(c, b.attention_norm, x) : x;  // [T, C]
  Matrix q, k, v;
  if (c.kind == Kind::gpt2) {
    Matrix const all = b.query_key_value(input);                                           // [T, 3 · C]
    q = all.leftCols(all.cols() / 3), k = all.middleCols(all.cols() / 3, all.cols() / 3);  // [T, C] each
    v = all.rightCols(all.cols() / 3);                                                     // [T, C]
  } else {
    q = b.query(input), k = b.key(input), v = b.value(input);  // [T, H · D], [T, G · D] twice
    if (c.kind == Kind::llama) q = rotate(c, q, s.positions), k = rotate(c, k, s.positions);
  }
  Matrix h = b.output(attend(c, b, q, k, v, s.infix_from, trace));  // [T, H · D] → [T, C]
  h += adapter(b.after_attention, h);                               // [T, C]
  h += adapter(b.beside_attention, input);                          // [T, C]
  x += h;                                                           // [T, C]
  if (!norm_before) x = norm(c, b.attention_norm, x);               // [T, C]

  Matrix const inner = norm_before ? norm(c, b.feed_forward_norm, x) : x;  // [T, C]
  if (c.kind == Kind::llama)
    h = b.down(curve(c.curve, b.gate(inner)).cwiseProduct(b.up(inner)));  // [T, F] → [T, C]
  else
    h = b.down(curve(c.curve, b.up(inner)));              // [T, F] → [T, C]
  h += adapter(b.after_feed_forward, h);                  // [T, C]
  h += adapter(b.beside_feed_forward, inner);             // [T, C]
  x += h;                                                 // [T, C]
  if (!norm_before) x = norm(c, b.feed_forward_norm, x);  // [T, C]

  return x + adapter(b.after_block, x);  // [T, C]
}

// The row after all layers.
inline Sequence states(Model const& m, Text const& text, Trace* trace = nullptr) {
  Sequence s = embed(m, text);  // x: [T, C]
  if (trace) trace->states.push_back(s.x);
  for (Block const& block : m.blocks) {
    s.x = forward(m.config, block, s, trace);  // [T, C]
    if (trace) trace->states.push_back(s.x);
  }
  return s;
}

// A language model: one number for every word of the vocabulary, at every word of the text.
// A classifier: one number for every class, at the first word.
inline Matrix logits(Model const& m, Text const& text) {
  Sequence const s = states(m, text);
  if (m.config.kind == Kind::bert) {
    Matrix const first = s.x.row(m.classifies_first_virtual ? 0 : s.words[0]);  // [1, C]
    return m.classifier(curve(Curve::tanh, m.pooler(first)));                   // [1, classes]
  }
  Matrix words(static_cast<int>(text.tokens.size()), s.x.cols());  // without virtual tokens
  for (int i = 0; i < count(words); ++i) words.row(i) = s.x.row(s.words[static_cast<std::size_t>(i)]);
  return norm(m.config, m.final_norm, words) * m.head.transpose();  // [words, V]
}

// −log of the probability that softmax gives to the label.
inline double surprise(Row const& scores, int label) {  // [V]
  double const largest = scores.maxCoeff();
  return largest + std::log((scores.array() - largest).exp().sum()) - scores(label);
}

// The loss that training lowers: the mean −log p of all target tokens, or of a classifier's labels.
inline double loss(Model const& m, std::vector<Text> const& texts) {
  double sum = 0, targets = 0;
  for (Text const& text : texts) {
    Matrix const scores = logits(m, text);  // [words, V] or [1, classes]
    if (m.config.kind == Kind::bert) sum += surprise(scores.row(0), text.label), ++targets;
    for (int i = text.source; i < static_cast<int>(text.tokens.size()); ++i, ++targets)
      sum += surprise(scores.row(i - 1), text.tokens[static_cast<std::size_t>(i)]);  // the state before predicts it
  }
  return sum / targets;
}

}  // namespace reference
