// Files of one kind each: tensors, arrays, configurations, data.
#include <graft/core/error.hpp>
#include <graft/data/readers.hpp>
#include <graft/io/model_config.hpp>
#include <graft/io/npy.hpp>
#include <graft/io/safetensors.hpp>
#include <graft/models/bart.hpp>
#include <graft/models/bert.hpp>
#include <graft/models/gpt2.hpp>
#include <graft/models/llama.hpp>
#include <graft/models/t5.hpp>

#include "io/file_builders.hpp"
#include "target.hpp"

namespace fuzz {

namespace {

void read_all(graft::TensorEntry const& entry) {
  std::size_t count = 1;
  for (auto extent : entry.shape) count *= static_cast<std::size_t>(extent);
  std::vector<float> values(count);
  graft::convert_values(entry.dtype, entry.data, count, values.data());
}

void safetensors(std::string_view bytes) {
  graft::SafetensorsFile const file(put(scratch() / "file.safetensors", bytes));
  for (auto const& entry : file.entries()) read_all(entry);
}
std::vector<std::string> safetensors_seeds() {
  std::string const two =
      R"({"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"b":{"dtype":"BF16","shape":[4],"data_offsets":[24,32]}})";
  std::string const note = R"({"__metadata__":{"format":"pt"},"s":{"dtype":"I64","shape":[],"data_offsets":[0,8]}})";
  return {graft_test::safetensors_bytes(two, std::string(32, 'x')),
          graft_test::safetensors_bytes(note, std::string(8, '\1'))};
}

void npy(std::string_view bytes) { read_all(graft::read_npy(put(scratch() / "file.npy", bytes))); }
std::vector<std::string> npy_seeds() {
  std::vector<std::string> seeds;
  for (auto const& [kind, size] : {std::pair{"<f4", 4}, std::pair{"<f8", 8}, std::pair{"<f2", 2}}) {
    std::string header = std::string("{'descr': '") + kind + "', 'fortran_order': False, 'shape': (2, 3), }";
    header.resize(117, ' ');
    seeds.push_back(std::string("\x93NUMPY\x01\x00", 8) + graft_test::bytes_of<std::uint16_t>(118) + header + "\n" +
                    std::string(static_cast<std::size_t>(6 * size), '\0'));
  }
  return seeds;
}

template <class... Architectures>
void describe(graft::ModelConfig const& config) {
  ((graft::covers<Architectures>(config.architecture) ? static_cast<void>(graft::describe_model<Architectures>(config))
                                                      : static_cast<void>(0)),
   ...);
}
void config(std::string_view bytes) {
  describe<graft::Gpt2, graft::Llama, graft::T5, graft::T5v11, graft::Bart, graft::Bert, graft::Roberta>(
      graft::model_config(graft::parse_json(bytes, "config.json"), "config.json"));
}
std::vector<std::string> config_seeds() {
  return {
      R"({"model_type":"llama","hidden_size":32,"num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":2,"intermediate_size":48,"vocab_size":99,"max_position_embeddings":512,"rope_parameters":{"rope_type":"llama3","rope_theta":1e4,"factor":8.0,"low_freq_factor":1.0,"high_freq_factor":4.0,"original_max_position_embeddings":64},"eos_token_id":[1,2],"head_dim":8,"attention_bias":false,"hidden_act":"silu"})",
      R"({"model_type":"gpt2","n_embd":32,"n_layer":2,"n_head":4,"n_positions":128,"vocab_size":99,"activation_function":"gelu_new","bos_token_id":1,"eos_token_id":1,"scale_attn_weights":true})",
      R"({"model_type":"t5","d_model":32,"d_kv":8,"d_ff":48,"num_heads":4,"num_layers":2,"vocab_size":99,"relative_attention_num_buckets":32,"feed_forward_proj":"gated-gelu","decoder_start_token_id":0,"pad_token_id":0})",
      R"({"model_type":"bart","d_model":32,"encoder_layers":1,"decoder_layers":1,"encoder_attention_heads":2,"decoder_attention_heads":2,"encoder_ffn_dim":48,"decoder_ffn_dim":48,"max_position_embeddings":64,"vocab_size":99,"activation_function":"gelu","forced_bos_token_id":0,"eos_token_id":2})",
      R"({"model_type":"bert","hidden_size":32,"num_hidden_layers":2,"num_attention_heads":4,"intermediate_size":48,"vocab_size":99,"max_position_embeddings":64,"type_vocab_size":2,"id2label":{"0":"a","1":"b"},"hidden_act":"gelu"})",
      R"({"model_type":"roberta","hidden_size":32,"num_hidden_layers":2,"num_attention_heads":4,"intermediate_size":48,"vocab_size":99,"max_position_embeddings":66,"pad_token_id":1})"};
}

// The first byte says how the file is called.
void data(std::string_view bytes) {
  if (bytes.empty()) return;
  static constexpr char const* names[] = {"data.csv", "data.tsv", "data.txt", "data.jsonl", "data.json", "data.xml"};
  static_cast<void>(
      graft::read_examples(put(scratch() / names[static_cast<unsigned char>(bytes[0]) % 6], bytes.substr(1))));
}
std::vector<std::string> data_seeds() {
  return {std::string("\0mr,ref\n\"name[A], food[B]\",\"A text, \"\"quoted\"\".\"\n\"name[C]\",Another.\n", 71),
          "\1source\ttarget\nein Wort\ta word\nzwei\ttwo\n",
          "\2name : A | type : pub || A is a pub.\r\nb || c\n",
          "\2\xEF\xBB\xBFmr,ref\n\"name[A]\",x\n",
          "\3{\"document\": \"A.\\nB.\", \"summary\": [\"C\", \"D\"], \"id\": 7}\n",
          "\4[{\"tripleset\": [[\"a\", \"B\", \"c\"]], \"annotations\": [{\"source\": \"e2e\", \"text\": \"A c.\"}]}]",
          "\4{\"entries\": [{\"1\": {\"category\": \"A\", \"modifiedtripleset\": [{\"subject\": \"a\", \"property\": "
          "\"b\", "
          "\"object\": \"c\"}], \"lexicalisations\": [{\"lex\": \"x\", \"comment\": \"good\"}]}}]}",
          "\5<benchmark><entries><entry category=\"A\" eid=\"Id1\"><modifiedtripleset><mtriple>a | b | c &amp; "
          "d</mtriple></modifiedtripleset><lex comment=\"good\" lid=\"Id1\">A "
          "<i>x</i>.</lex></entry></entries></benchmark>"};
}

// The first byte says which task the file is of.
void labels(std::string_view bytes) {
  if (bytes.empty()) return;
  graft::DataOptions options;
  options.task = graft::tasks[static_cast<unsigned char>(bytes[0]) % graft::tasks.size()].name;
  bool const json = bytes.size() > 1 && bytes[1] == '{';
  static_cast<void>(
      graft::read_labelled(put(scratch() / (json ? "labels.jsonl" : "labels.tsv"), bytes.substr(1)), options));
}
std::vector<std::string> label_seeds() {
  std::vector<std::string> seeds;
  for (std::size_t i = 0; i < graft::tasks.size(); ++i)
    for (
        char const* text :
        {"sentence1\tsentence2\tlabel\nA.\tB.\t1\n", "gj04\t0\t*\tHe go.\n",
         R"({"text": "a b", "target": {"span2_index": 1, "span1_text": "a", "span2_text": "b"}, "label": true})",
         R"({"idx": 0, "passage": {"text": "É b", "questions": [{"question": "Q", "idx": 1, "answers": [{"text": "A", "idx": 2, "label": 1}]}], "entities": [{"start": 0, "end": 0}]}, "qas": [{"idx": 5, "query": "@placeholder", "answers": [{"text": "É"}]}]})",
         R"({"premise": "p", "choice1": "a", "choice2": "b", "question": "cause", "hypothesis": "h", "label": 0})"})
      seeds.push_back(static_cast<char>(i) + std::string(text));
  return seeds;
}

}  // namespace

std::vector<Target> file_targets() {
  return {{"safetensors", safetensors, safetensors_seeds},
          {"npy", npy, npy_seeds},
          {"config", config, config_seeds},
          {"data", data, data_seeds},
          {"labels", labels, label_seeds}};
}

}  // namespace fuzz
