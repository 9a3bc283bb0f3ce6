// GPT-2 and LLaMA with everything a strategy adds, written a second time: padded tensors, explicit masks, plain loops
// in double. It shares nothing with the library's transformer, plan and operations; weights come as a checkpoint's name
// -> matrix.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace dense {

struct Matrix {
  std::size_t rows = 0, width = 0;
  std::vector<double> data;
  Matrix() = default;
  Matrix(std::size_t r, std::size_t w) : rows(r), width(w), data(r * w) {}
  double& operator()(std::size_t r, std::size_t c) { return data[r * width + c]; }
  double operator()(std::size_t r, std::size_t c) const { return data[r * width + c]; }
};
using Weights = std::map<std::string, Matrix>;

enum class Curve { gelu, gelu_tanh, silu, relu };

inline double curve(Curve f, double x) {
  switch (f) {
    case Curve::gelu: return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
    case Curve::gelu_tanh: return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case Curve::silu: return x / (1 + std::exp(-x));
    case Curve::relu: return std::max(0.0, x);
  }
  throw std::logic_error("curve");
}

struct Dimensions {
  bool gpt2 = true;
  std::size_t layers = 0, heads = 0, kv_heads = 0, head = 0;
  double epsilon = 0;
  std::vector<double> frequencies;  // of rotary positions
  Curve activation = Curve::gelu_tanh;
};

/// A group of virtual keys and values, in some of the layers.
struct KeyGroup {
  std::size_t length = 0;
  bool infix = false, shifts = true;
  std::map<std::size_t, std::pair<Matrix, Matrix>> layers;  // keys, values [length, kv_heads * head]
};
struct TokenGroup {
  Matrix embeddings;
  bool infix = false, shifts = true;
};
struct LowRank {
  Matrix a, b;
  double scale = 1;
};
struct Bottleneck {
  Matrix down, down_bias, up, up_bias;
  Curve activation = Curve::gelu;
  double scale = 1;  // of those beside a sublayer
};
/// What strategies add to the model.
struct Additions {
  std::vector<KeyGroup> keys;
  std::vector<TokenGroup> tokens;
  std::map<std::string, LowRank> low_rank;  // by module name
  std::map<std::size_t, Bottleneck> after_attention, after_feed_forward, after_layer;
  std::map<std::size_t, Bottleneck> beside_attention, beside_feed_forward;
  Weights output_scales, input_scales;  // by module name
  Weights replaced;                     // trained weights in place of the base's
};

struct Row {
  std::vector<int> tokens;
  std::size_t insertion = 0;  // infix activations stand before this token
};

/// What stands at one place of a padded row.
struct Item {
  enum Kind { padding, real, virtual_token, virtual_key } kind = padding;
  std::size_t group = 0, index = 0;
  std::size_t position = 0;  // of tokens
};

/// Everything that a row holds, in the order in which later things see earlier ones.
inline std::vector<Item> timeline(Row const& row, Additions const& added) {
  std::vector<Item> items;
  std::size_t clock = 0;
  auto const insert = [&](bool infix) {
    for (std::size_t g = 0; g < added.keys.size(); ++g) {
      if (added.keys[g].infix != infix) continue;
      for (std::size_t i = 0; i < added.keys[g].length; ++i) items.push_back({Item::virtual_key, g, i, 0});
      if (added.keys[g].shifts) clock += added.keys[g].length;
    }
    for (std::size_t g = 0; g < added.tokens.size(); ++g) {
      if (added.tokens[g].infix != infix) continue;
      std::size_t const count = added.tokens[g].embeddings.rows;
      for (std::size_t i = 0; i < count; ++i) items.push_back({Item::virtual_token, g, i, clock + i});
      if (added.tokens[g].shifts) clock += count;
    }
  };
  insert(false);
  for (std::size_t i = 0; i < row.tokens.size(); ++i) {
    if (i == row.insertion) insert(true);
    items.push_back({Item::real, 0, i, clock++});
  }
  return items;
}

class Model {
 public:
  Model(Dimensions dimensions, Weights weights, Additions added)
      : d_(std::move(dimensions)), w_(std::move(weights)), added_(std::move(added)) {
    for (auto const& [name, matrix] : added_.replaced) w_.at(name) = matrix;
  }

  /// [real tokens of all rows, vocabulary]
  [[nodiscard]] Matrix logits(std::vector<Row> const& rows) const {
    std::vector<std::vector<Item>> items;
    std::size_t longest = 0;
    for (Row const& row : rows) {
      items.push_back(timeline(row, added_));
      longest = std::max(longest, items.back().size());
    }
    Matrix x(rows.size() * longest, token_table().width);
    for (std::size_t r = 0; r < rows.size(); ++r) {
      items[r].resize(longest);
      for (std::size_t i = 0; i < longest; ++i) embed(rows[r], items[r][i], &x(r * longest + i, 0));
    }
    for (std::size_t layer = 0; layer < d_.layers; ++layer) x = block(layer, x, items);
    x = norm(d_.gpt2 ? "transformer.ln_f" : "model.norm", x);
    Matrix const& head = w_.contains("lm_head.weight") ? w_.at("lm_head.weight") : token_table();
    Matrix result(0, head.rows);
    for (std::size_t r = 0; r < rows.size(); ++r)
      for (std::size_t i = 0; i < longest; ++i) {
        if (items[r][i].kind != Item::real) continue;
        for (std::size_t v = 0; v < head.rows; ++v)
          result.data.push_back(dot(&x.data[(r * longest + i) * x.width], &head.data[v * head.width], x.width));
        ++result.rows;
      }
    return result;
  }

 private:
  static double dot(double const* a, double const* b, std::size_t n) {
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) sum += a[i] * b[i];
    return sum;
  }
  [[nodiscard]] Matrix const& token_table() const {
    return w_.at(d_.gpt2 ? "transformer.wte.weight" : "model.embed_tokens.weight");
  }

  void embed(Row const& row, Item const& item, double* x) const {
    if (item.kind == Item::padding || item.kind == Item::virtual_key) return;
    Matrix const& table = item.kind == Item::real ? token_table() : added_.tokens[item.group].embeddings;
    std::size_t const at = item.kind == Item::real ? static_cast<std::size_t>(row.tokens[item.index]) : item.index;
    for (std::size_t k = 0; k < table.width; ++k)
      x[k] = table(at, k) + (d_.gpt2 ? w_.at("transformer.wpe.weight")(item.position, k) : 0);
  }

  [[nodiscard]] Matrix norm(std::string const& name, Matrix const& x) const {
    Matrix const& gain = w_.at(name + ".weight");
    Matrix y(x.rows, x.width);
    auto const n = static_cast<double>(x.width);
    for (std::size_t r = 0; r < x.rows; ++r) {
      double mean = 0, square = 0;
      for (std::size_t k = 0; d_.gpt2 && k < x.width; ++k) mean += x(r, k) / n;
      for (std::size_t k = 0; k < x.width; ++k) square += (x(r, k) - mean) * (x(r, k) - mean) / n;
      for (std::size_t k = 0; k < x.width; ++k)
        y(r, k) = (x(r, k) - mean) / std::sqrt(square + d_.epsilon) * gain.data[k] +
                  (d_.gpt2 ? w_.at(name + ".bias").data[k] : 0);
    }
    return y;
  }

  static Matrix scaled(Weights const& scales, std::string const& name, Matrix x) {
    auto const found = scales.find(name);
    for (std::size_t i = 0; found != scales.end() && i < x.data.size(); ++i)
      x.data[i] *= found->second.data[i % x.width];
    return x;
  }
  [[nodiscard]] Matrix linear(std::string const& name, Matrix const& x) const {
    return scaled(added_.output_scales, name, plain_linear(name, scaled(added_.input_scales, name, x)));
  }
  [[nodiscard]] Matrix plain_linear(std::string const& name, Matrix const& x) const {
    Matrix const& w = w_.at(name + ".weight");
    bool const turned = d_.gpt2;  // Conv1D: [in, out]
    Matrix y(x.rows, turned ? w.width : w.rows);
    auto const bias = w_.find(name + ".bias");
    auto const low = added_.low_rank.find(name);
    for (std::size_t r = 0; r < x.rows; ++r) {
      for (std::size_t o = 0; o < y.width; ++o) {
        double sum = bias == w_.end() ? 0 : bias->second.data[o];
        for (std::size_t i = 0; i < x.width; ++i) sum += x(r, i) * (turned ? w(i, o) : w(o, i));
        y(r, o) = sum;
      }
      if (low == added_.low_rank.end()) continue;
      for (std::size_t k = 0; k < low->second.a.rows; ++k) {
        double const inner = low->second.scale * dot(&x.data[r * x.width], &low->second.a.data[k * x.width], x.width);
        for (std::size_t o = 0; o < y.width; ++o) y(r, o) += inner * low->second.b(o, k);
      }
    }
    return y;
  }

  static Matrix adapt(std::map<std::size_t, Bottleneck> const& units, std::size_t layer, Matrix h) {
    auto const found = units.find(layer);
    if (found == units.end()) return h;
    Bottleneck const& unit = found->second;
    for (std::size_t r = 0; r < h.rows; ++r) {
      std::vector<double> inner, out(unit.up_bias.data);
      for (std::size_t k = 0; k < unit.down.rows; ++k)
        inner.push_back(curve(unit.activation, unit.down_bias.data[k] +
                                                   dot(&h.data[r * h.width], &unit.down.data[k * h.width], h.width)));
      for (std::size_t o = 0; o < h.width; ++o)
        h(r, o) += unit.up_bias.data[o] + dot(inner.data(), &unit.up.data[o * inner.size()], inner.size());
    }
    return h;
  }

  /// h + s·up(f(down(x)))
  static Matrix beside(std::map<std::size_t, Bottleneck> const& units, std::size_t layer, Matrix const& x, Matrix h) {
    auto const found = units.find(layer);
    if (found == units.end()) return h;
    Matrix const through = adapt(units, layer, x);  // x + up(…)
    for (std::size_t i = 0; i < h.data.size(); ++i) h.data[i] += found->second.scale * (through.data[i] - x.data[i]);
    return h;
  }

  static Matrix sum(Matrix a, Matrix const& b) {
    for (std::size_t i = 0; i < a.data.size(); ++i) a.data[i] += b.data[i];
    return a;
  }
  static Matrix columns(Matrix const& x, std::size_t first, std::size_t count) {
    Matrix y(x.rows, count);
    for (std::size_t r = 0; r < x.rows; ++r) std::copy_n(&x.data[r * x.width + first], count, &y.data[r * count]);
    return y;
  }

  [[nodiscard]] Matrix block(std::size_t layer, Matrix x, std::vector<std::vector<Item>> const& items) const {
    std::string const name = (d_.gpt2 ? "transformer.h." : "model.layers.") + std::to_string(layer) + ".";
    Matrix q, k, v;
    Matrix const normed = norm(name + (d_.gpt2 ? "ln_1" : "input_layernorm"), x);
    if (d_.gpt2) {
      Matrix const all = linear(name + "attn.c_attn", normed);
      std::size_t const width = all.width / 3;
      q = columns(all, 0, width), k = columns(all, width, width), v = columns(all, 2 * width, width);
    } else {
      q = linear(name + "self_attn.q_proj", normed), k = linear(name + "self_attn.k_proj", normed),
      v = linear(name + "self_attn.v_proj", normed);
      rotate(q, items), rotate(k, items);
    }
    Matrix const attended =
        linear(name + (d_.gpt2 ? "attn.c_proj" : "self_attn.o_proj"), attend(layer, q, k, v, items));
    x = sum(x, beside(added_.beside_attention, layer, normed, adapt(added_.after_attention, layer, attended)));
    Matrix const inner = norm(name + (d_.gpt2 ? "ln_2" : "post_attention_layernorm"), x);
    x = sum(x, beside(added_.beside_feed_forward, layer, inner,
                      adapt(added_.after_feed_forward, layer, feed_forward(name + "mlp.", inner))));
    return adapt(added_.after_layer, layer, x);
  }

  [[nodiscard]] Matrix feed_forward(std::string const& name, Matrix const& x) const {
    Matrix up = linear(name + (d_.gpt2 ? "c_fc" : "up_proj"), x);
    if (d_.gpt2) {
      for (double& value : up.data) value = curve(d_.activation, value);
      return linear(name + "c_proj", up);
    }
    Matrix const gate = linear(name + "gate_proj", x);
    for (std::size_t i = 0; i < up.data.size(); ++i) up.data[i] *= curve(d_.activation, gate.data[i]);
    return linear(name + "down_proj", up);
  }

  void rotate(Matrix& x, std::vector<std::vector<Item>> const& items) const {
    std::size_t const longest = items[0].size(), half = d_.head / 2;
    for (std::size_t r = 0; r < x.rows; ++r)
      for (std::size_t h = 0; h < x.width / d_.head; ++h)
        for (std::size_t j = 0; j < half; ++j) {
          double const angle = static_cast<double>(items[r / longest][r % longest].position) * d_.frequencies[j];
          double &first = x(r, h * d_.head + j), &second = x(r, h * d_.head + half + j);
          double const a = first, b = second;
          first = a * std::cos(angle) - b * std::sin(angle);
          second = b * std::cos(angle) + a * std::sin(angle);
        }
  }

  /// Softmax over a full [longest, longest] mask for every row and head.
  [[nodiscard]] Matrix attend(std::size_t layer, Matrix const& q, Matrix const& k, Matrix const& v,
                              std::vector<std::vector<Item>> const& items) const {
    std::size_t const longest = items[0].size();
    Matrix out(q.rows, q.width);
    for (std::size_t r = 0; r < items.size(); ++r)
      for (std::size_t at = 0; at < longest; ++at)
        for (std::size_t h = 0; h < d_.heads; ++h) {
          std::size_t const kv = h / (d_.heads / d_.kv_heads);
          std::vector<double> weight(longest, 0.0);
          std::vector<double const*> values(longest, nullptr);
          double total = 0;
          for (std::size_t key = 0; key < longest; ++key) {
            Item const& item = items[r][key];
            double const *key_row = &k.data[(r * longest + key) * k.width],
                         *value_row = &v.data[(r * longest + key) * v.width];
            bool seen = key <= at && item.kind != Item::padding;
            if (item.kind == Item::virtual_key) {
              auto const bank = added_.keys[item.group].layers.find(layer);
              seen = seen && bank != added_.keys[item.group].layers.end();
              if (!seen) continue;
              key_row = &bank->second.first.data[item.index * k.width],
              value_row = &bank->second.second.data[item.index * v.width];
            }
            if (!seen) continue;
            weight[key] =
                std::exp(dot(&q.data[(r * longest + at) * q.width + h * d_.head], key_row + kv * d_.head, d_.head) /
                         std::sqrt(static_cast<double>(d_.head)));
            values[key] = value_row + kv * d_.head;
            total += weight[key];
          }
          for (std::size_t key = 0; key < longest; ++key)
            for (std::size_t c = 0; values[key] && c < d_.head; ++c)
              out(r * longest + at, h * d_.head + c) += weight[key] / total * values[key][c];
        }
    return out;
  }

  Dimensions d_;
  Weights w_;
  Additions added_;
};

}  // namespace dense
