// The programs of docs/files.md, training.md, generation.md, metrics.md and errors.md.
#include <graft/graft.hpp>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iostream>
#include <sstream>

#include "docs/tiny_model.hpp"

namespace {

class Guides : public docs::Docs {};

template <class Model>
std::vector<float> numbers(Model& model) {
  std::vector<float> all;
  for (auto const* parameter : model.parameters())
    all.insert(all.end(), parameter->value().data(), parameter->value().data() + parameter->value().size());
  return all;
}

TEST_F(Guides, Loading) {
  //! [load]
  auto base = graft::load_pretrained<graft::Llama>("SmolLM2-135M");           // computes in float
  auto exact = graft::load_pretrained<graft::Llama, double>("SmolLM2-135M");  // in double, for checks
  auto tokenizer = graft::load_tokenizer("SmolLM2-135M");
  //! [load]
  EXPECT_EQ(base->info().parameters(), exact->info().parameters());
  //! [tokens]
  std::vector<graft::Token> tokens = tokenizer.encode("the pub");
  std::string text = tokenizer.decode(tokens);
  graft::EncodedText pair =
      tokenizer.encode_with_template("the pub", "a coffee shop", 128);  // ids, token_types, cut_tokens
  //! [tokens]
  EXPECT_EQ(text, "the pub");
  EXPECT_EQ(pair.ids.size(), pair.token_types.size());
  EXPECT_EQ(pair.cut_tokens, 0u);
}

TEST_F(Guides, Visiting) {
  //! [visit]
  graft::visit_pretrained<graft::Gpt2, graft::Llama>("gpt2", [&](auto base) {
    auto model = graft::adapt(base, graft::LoRA{.rank = 4});  // compiled for both architectures; one of them runs
    std::cout << base->info().architecture << ": " << base->info().parameters() << " parameters\n";
  });
  //! [visit]
}

TEST_F(Guides, Profile) {
  auto model = graft::adapt(graft::load_pretrained<graft::Llama>("SmolLM2-135M"), graft::PrefixTuning{.length = 2});
  std::vector<graft::TokenizedExample> const examples{{.source = {1, 2, 3}, .target = {4, 5}, .id = 0},
                                                      {.source = {6}, .target = {7, 8}, .id = 1}};
  graft::clear_profile();
  //! [profile]
  graft::profile();  // begin: graft/core/profile.hpp
  graft::Trainer({.epochs = 1, .batch = 2, .progress = false}).fit(model, examples);
  graft::profile(false);  // end: what measures the limits runs kernels, too
  auto const times = graft::profiled();
  std::string const table = graft::profile_table(times, graft::measure_roofline());  // graft/kernels/roofline.hpp
  //! [profile]
  EXPECT_NE(table.find("packed product, reverse"), std::string::npos);
  EXPECT_FALSE(times.empty());
}

TEST_F(Guides, Data) {
  std::ofstream("questions.jsonl") << R"({"asked": "where is the pub", "replies": ["by the river", "riverside"]})"
                                   << '\n'
                                   << R"({"asked": "is it cheap", "replies": ["yes"]})" << '\n';
  //! [columns]
  auto const tables = graft::read_examples("trainset.csv");  // E2E's file, known by its columns
  graft::DataOptions options;
  options.fields = graft::parse_data_fields("source=asked,target=replies");
  auto const questions = graft::read_examples("questions.jsonl", options);  // one row for each text
  auto const grouped = graft::group_by_source(questions);                   // one source with all its references
  auto const [kept, held_out] = graft::split(tables, 0.3, 0);
  //! [columns]
  EXPECT_EQ(questions.size(), 3u);
  EXPECT_EQ(grouped.size(), 2u);
  EXPECT_EQ(grouped.front().references.size(), 2u);
  EXPECT_EQ(kept.size() + held_out.size(), tables.size());
}

TEST_F(Guides, Adapters) {
  auto base = graft::load_pretrained<graft::Llama>("SmolLM2-135M");
  auto model = graft::adapt(base, graft::PrefixTuning{.length = 10});
  auto second = graft::adapt(base, graft::PrefixTuning{.length = 10}, 1);
  //! [adapters]
  graft::save_adapter(model, "prefix");  // adapter_config.json and adapter_model.safetensors, as PEFT writes them
  auto again = graft::load_adapter<graft::PrefixTuning>(base, "prefix");

  // Where the strategy is known only at run time:
  graft::visit_adapter<graft::PrefixTuning, graft::PromptTuning, graft::LoRA>(base, "prefix", [](auto adapted) {
    std::cout << adapted.settings().name << ": " << adapted.parameter_counts().trainable << " parameters\n";
  });
  //! [adapters]
  EXPECT_EQ(numbers(again), numbers(model));
  //! [adapter set]
  graft::AdapterSet<decltype(model)> adapters;  // several on one base, switched without touching a weight
  adapters.add("default", model);
  adapters.add("reviews", second);
  adapters.use("reviews");
  graft::save_adapters(adapters, "prefixes");  // prefixes/, and prefixes/reviews/ as PEFT has named adapters
  auto loaded = graft::load_adapters<graft::PrefixTuning>(base, "prefixes");
  loaded.add("another", graft::load_adapter<graft::PrefixTuning>(base, "prefix"));
  loaded.enable(false);  // active() is the base model, bit for bit, until enable()
  loaded.remove("another");
  for (std::string const& name : loaded.names()) std::cout << name << '\n';
  //! [adapter set]
  EXPECT_EQ(numbers(loaded.at("reviews")), numbers(adapters.active()));
  EXPECT_EQ(loaded.names(), (std::vector<std::string>{"default", "reviews"}));
}

TEST_F(Guides, Combining) {
  auto base = graft::load_pretrained<graft::Llama>("SmolLM2-135M");
  auto reviews = graft::adapt(base, graft::LoRA{.rank = 4}, 1), news = graft::adapt(base, graft::LoRA{.rank = 2}, 2);
  //! [combine]
  graft::AdapterSet<decltype(reviews)> adapters;
  adapters.add("reviews", reviews);  // LoRA of rank 4
  adapters.add("news", news);        // and of rank 2
  adapters.add("both",
               graft::combine(adapters, {{"reviews", 0.7}, {"news", 0.3}}, {.combination = graft::Combination::cat}));
  //! [combine]
  EXPECT_EQ(adapters.at("both").settings().rank, 6);
  EXPECT_EQ(graft::combine(adapters, {{"reviews", 0.7}, {"news", 0.3}}).settings().rank, 4);
}

TEST_F(Guides, Prompts) {
  auto base = graft::load_pretrained<graft::Llama>("SmolLM2-135M");
  auto model = graft::adapt(base, graft::PromptTuning{.length = 10});
  //! [prompt file]
  graft::save_adapter(model, "prompt");
  graft::write_prompt("prompt.npy",
                      graft::read_prompt("prompt"));  // an adapter folder's embeddings as an array [10, width]
  graft::save_prompt(graft::read_prompt("prompt.npy"), base->info(),
                     "prompt again");  // and an array as an adapter folder
  graft::save_adapter(model, "with all settings", {.format = graft::AdapterFormat::graft});
  //! [prompt file]
  auto again = graft::load_adapter<graft::PromptTuning>(base, "prompt again");
  EXPECT_EQ(numbers(again), numbers(model));
  auto own = graft::load_adapter<graft::PromptTuning>(base, "with all settings");
  EXPECT_EQ(numbers(own), numbers(model));
  EXPECT_EQ(graft::read_json("with all settings/adapter_config.json").at("settings").at("init"), "vocabulary");
}

TEST_F(Guides, OwnAdapterFormat) {
  auto base = graft::load_pretrained<graft::Llama>("SmolLM2-135M");
  auto model = graft::adapt(base, graft::InfixTuning{.length = 10});
  graft::save_adapter(model, "infix", {.base_model = "SmolLM2-135M"});
  auto const config = graft::read_json("infix/adapter_config.json");
  EXPECT_EQ(config.at("graft_type"), "infix_tuning");
  EXPECT_EQ(config.at("base_model_name_or_path"), "SmolLM2-135M");
  EXPECT_EQ(config.at("settings").at("length"), 10);
  EXPECT_EQ(config.at("model").at("kv_heads"), 2);
  EXPECT_FALSE(config.contains("peft_type"));
}

TEST_F(Guides, Npy) {
  //! [npy]
  graft::Tensor<float> const numbers = graft::normal<float>(graft::Shape{2, 3}, graft::RandomKey(1));
  graft::write_npy("numbers.npy", {.name = "",
                                   .dtype = graft::Dtype::f32,
                                   .shape = {2, 3},
                                   .data = reinterpret_cast<std::byte const*>(numbers.data()),
                                   .bytes = 24,
                                   .owner = nullptr});
  graft::TensorEntry const entry = graft::read_npy("numbers.npy");  // aliases the mapped file
  //! [npy]
  EXPECT_EQ(entry.shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_TRUE(std::equal(numbers.data(), numbers.data() + 6, reinterpret_cast<float const*>(entry.data)));
}

TEST_F(Guides, Training) {
  auto base = graft::load_pretrained<graft::Llama>("SmolLM2-135M");
  auto tokenizer = graft::load_tokenizer("SmolLM2-135M");
  auto model = graft::adapt(base, graft::LoRA{.rank = 4});
  //! [fit]
  auto data = graft::split(graft::read_examples("trainset.csv"), 0.3, 0);  // no source is in both parts
  graft::Training settings{.epochs = 4, .batch = 2, .learning_rate = 2e-3, .warmup_ratio = 0.1};
  settings.validate_every = 2;          // steps; 0: at the end of each epoch
  settings.patience = 3;                // stop after three validations without a new best, and keep the best parameters
  settings.max_source = 400;            // tokens; what is cut is counted and said
  settings.checkpoint = "checkpoints";  // the newest two are kept
  settings.log = "training.jsonl";
  graft::TrainingReport report = graft::Trainer(settings).fit(model, data.kept, data.held_out, tokenizer);
  std::cout << graft::parameter_line(report.trainable, report.all) << '\n';
  //! [fit]
  EXPECT_FALSE(report.validations.empty());
  EXPECT_TRUE(graft::has_checkpoint("checkpoints"));
  EXPECT_TRUE(std::filesystem::exists("training.jsonl"));
  auto const trained = numbers(model);
  std::filesystem::remove_all("checkpoints/step-00000004");  // as if it had been stopped during the last step
  //! [resume]
  settings.resume =
      true;  // where there is a checkpoint, go on from it: the parameters end bit for bit as if it had never stopped
  auto fresh = graft::adapt(base, graft::LoRA{.rank = 4});
  graft::Trainer(settings).fit(fresh, data.kept, data.held_out, tokenizer);
  //! [resume]
  EXPECT_EQ(numbers(fresh), trained);
}

TEST_F(Guides, TokenLists) {
  //! [token lists]
  auto base = graft::load_pretrained<graft::Gpt2>("gpt2");
  auto model = graft::adapt(base, graft::PrefixTuning{.length = 5, .init_deviation = 0.02});
  std::vector<graft::TokenizedExample> const examples{{.source = {5, 9, 3}, .target = {7, 2}, .id = 0},
                                                      {.source = {4, 4}, .target = {1, 8, 6}, .id = 1}};
  graft::TrainingReport report = graft::Trainer({.epochs = 20, .batch = 2, .learning_rate = 5e-2}).fit(model, examples);
  auto const texts = graft::generate(model, {{5, 9, 3}}, graft::Greedy{.max_new_tokens = 2});
  std::vector<graft::Token> const& written = texts[0][0].tokens;  // the first text of the first prompt
  //! [token lists]
  EXPECT_LT(report.steps.back().loss, report.steps.front().loss);
  EXPECT_EQ(written.size(), 2u);
  //! [share sources]
  std::vector<graft::TokenizedExample> const references{
      {.source = {5, 9, 3, 8, 8, 2, 4, 1, 6, 7}, .target = {7, 2}, .id = 0},
      {.source = {5, 9, 3, 8, 8, 2, 4, 1, 6, 7}, .target = {2, 2, 9}, .id = 1},  // of the same source
      {.source = {4, 4}, .target = {1, 8, 6}, .id = 2}};
  graft::Trainer({.epochs = 20, .batch = 3, .share_sources = true, .learning_rate = 5e-2}).fit(model, references);
  //! [share sources]
  EXPECT_LT(model.pack_shared(references).rows.tokens(), model.pack(references).rows.tokens());
}

TEST_F(Guides, KeepsTheTemplate) {
  auto base = graft::load_pretrained<graft::Llama>("SmolLM2-135M");
  auto tokenizer = graft::load_tokenizer("SmolLM2-135M");
  auto model = graft::adapt(base, graft::PrefixTuning{.length = 4});
  auto const examples = graft::read_examples("trainset.csv");
  //! [keep template]
  graft::Template const form{.separator = " =>"};
  graft::Trainer({.epochs = 1}).fit(model, examples, tokenizer, form);
  graft::save_adapter(model, "prefix", {.files = {{graft::template_file, graft::template_text({.form = form})}}});
  //! [keep template]
  //! [load template]
  auto const kept = graft::load_template("prefix");  // empty for a folder that keeps none, such as PEFT's
  graft::Template const again = kept ? kept->form : graft::Template{};
  std::vector<graft::Token> const prompt = graft::encode_source(tokenizer, "the pub", again);
  auto const texts = graft::generate(model, {prompt}, graft::Greedy{.max_new_tokens = 4});
  //! [load template]
  EXPECT_EQ(again.separator, " =>");
  EXPECT_EQ(prompt, tokenizer.encode("the pub =>"));
  EXPECT_EQ(texts.size(), 1u);
  //! [fit rows]
  graft::TemplateEncoder const encoder(tokenizer, form);
  graft::Truncation cut;
  std::vector<graft::TokenizedExample> rows = encoder.encode(examples, cut);
  graft::FittedRows const fitted =
      graft::fit_rows(rows, graft::RowLimits(model), graft::TooLong::skip, encoder.kept_end(),
                      [](std::size_t i) { return "example " + std::to_string(i); });  // what an error calls a row
  std::cout << fitted.skipped << " of " << examples.size() << " are too long\n";
  //! [fit rows]
  EXPECT_EQ(fitted.kept.size(), examples.size());
}

TEST_F(Guides, Recipe) {
  auto base = graft::load_pretrained<graft::Llama>("SmolLM2-135M");
  auto tokenizer = graft::load_tokenizer("SmolLM2-135M");
  auto examples = graft::read_examples("trainset.csv");
  //! [recipe]
  graft::Recipe recipe = graft::recipe("e2e");  // Li & Liang (2021): 5 epochs, 8e-5, batch 10, prefix of 5
  auto model = graft::adapt(
      base, graft::PrefixTuning{.length = recipe.prefix_length, .reparametrization = graft::Mlp{.hidden = 512}});
  graft::Trainer(recipe.training).fit(model, examples, tokenizer);
  //! [recipe]
  EXPECT_EQ(recipe.training.epochs, 5);
  EXPECT_EQ(recipe.training.batch, 10);
  EXPECT_EQ(recipe.training.learning_rate, 8e-5);
  EXPECT_EQ(recipe.prefix_length, 5);
}

TEST_F(Guides, OwnLoop) {
  auto base = graft::load_pretrained<graft::Llama>("SmolLM2-135M");
  auto tokenizer = graft::load_tokenizer("SmolLM2-135M");
  auto model = graft::adapt(base, graft::LoRA{.rank = 4});
  std::vector<double> losses;
  //! [loop]
  graft::TemplateEncoder encoder(tokenizer, graft::Template{});
  graft::Truncation cut;
  auto examples = encoder.encode(graft::read_examples("trainset.csv"), cut);
  graft::AdamW<float> optimizer(model.parameters(), {.weight_decay = 0.01});
  for (std::uint64_t step = 0; step < 10; ++step) {
    graft::Batch batch = graft::pack(examples);
    batch.rows.training = true;  // dropout acts
    batch.rows.step = step;      // and its random numbers are those of this step
    auto loss = graft::token_loss(model.scores(batch), batch.rows.targets, graft::target_weight(batch.rows.targets));
    graft::backward(loss);
    double const norm = graft::gradient_norm(optimizer.parameters());
    optimizer.step(2e-3, graft::clip_coefficient(norm, 1.0));
    optimizer.clear_gradients();
    losses.push_back(static_cast<double>(loss.value().data()[0]));
  }
  //! [loop]
  EXPECT_LT(losses.back(), losses.front());
}

//! [objective]
/// −(1 − p)^gamma · log p of each target: tokens that the model is unsure of count more (focal loss, Lin et al. 2017).
struct FocalLoss {
  double gamma = 2;

  template <class Model>
  graft::Variable<float> loss(Model& model, graft::Batch const& batch, double normaliser) const {
    graft::Variable<float> const log_p = model.scores(batch).log_probability;         // [targets]
    graft::Variable<float> const one(graft::full(log_p.shape(), 1.F));                // [targets]
    auto const doubt = graft::power(graft::subtract(one, graft::exp(log_p)), gamma);  // [targets]
    return graft::scale(graft::sum(graft::multiply(doubt, log_p)), -1 / normaliser);
  }
  std::string identity() const { return graft::cat("focal loss, gamma ", gamma); }
};
//! [objective]

TEST_F(Guides, OwnObjective) {
  auto base = graft::load_pretrained<graft::Llama>("SmolLM2-135M");
  auto tokenizer = graft::load_tokenizer("SmolLM2-135M");
  auto model = graft::adapt(base, graft::LoRA{.rank = 4});
  auto data = graft::split(graft::read_examples("trainset.csv"), 0.3, 0);
  //! [fit objective]
  graft::Training settings{.epochs = 4, .batch = 2, .learning_rate = 2e-3, .patience = 3, .min_delta = 0.01};
  settings.on_validation = [](graft::ValidationReport const& v) { std::cout << v.step << ": " << v.loss << '\n'; };
  auto const report =
      graft::Trainer(settings).fit(model, data.kept, data.held_out, tokenizer, graft::Template{}, FocalLoss{2});
  //! [fit objective]
  EXPECT_LT(report.steps.back().loss, report.steps.front().loss);
  EXPECT_FALSE(report.validations.empty());
}

TEST_F(Guides, LogProbabilities) {
  auto base = graft::load_pretrained<graft::Llama>("SmolLM2-135M");
  auto tokenizer = graft::load_tokenizer("SmolLM2-135M");
  auto const model = graft::adapt(base, graft::PrefixTuning{.length = 5});
  //! [log probabilities]
  auto const text = graft::log_probabilities(model, tokenizer, "the cat");       // of a text
  auto const answer = graft::log_probabilities(model, tokenizer, "the", "cat");  // of a target after a source
  for (std::size_t i = 0; i < text.tokens.size(); ++i)
    std::cout << tokenizer.decode(std::vector{text.tokens[i]}) << ": " << text.each[i] << '\n';
  double const perplexity = std::exp(-answer.sum / static_cast<double>(answer.tokens.size()));
  //! [log probabilities]
  EXPECT_GT(perplexity, 1);
  //! [states]
  std::vector<graft::Token> const tokens = tokenizer.encode("the cat");
  graft::Tensor<float> const embeddings = graft::token_embeddings(model, tokens);  // [tokens, width]
  graft::Batch batch = model.pack({{tokens, {}}});
  for (graft::Index i = 0; i < batch.rows.tokens(); ++i) batch.rows.targets.at.push_back(i);  // a state of every token
  graft::NoGrad const no_grad;
  graft::Tensor<float> const states = model.hidden_states(batch).value();  // [tokens, width]
  //! [states]
  EXPECT_EQ(embeddings.shape(), states.shape());
  EXPECT_EQ(states.rows(), static_cast<graft::Index>(tokens.size()));
}

TEST_F(Guides, Adafactor) {
  auto base = graft::load_pretrained<graft::Llama>("SmolLM2-135M");
  auto tokenizer = graft::load_tokenizer("SmolLM2-135M");
  auto examples = graft::read_examples("trainset.csv");
  //! [adafactor]
  graft::Training const training{.epochs = 3,
                                 .batch = 32,
                                 .learning_rate = 0.3,
                                 .schedule = graft::Schedule::constant,
                                 .optimizer = graft::OptimizerKind::adafactor,
                                 .weight_decay = 1e-5,
                                 .clip = 0};
  auto model = graft::adapt(base, graft::PromptTuning{.length = 100});
  auto const report = graft::Trainer(training).fit(model, examples, tokenizer);
  //! [adafactor]
  EXPECT_LT(report.steps.back().loss, report.steps.front().loss);
}

TEST_F(Guides, Generation) {
  auto base = graft::load_pretrained<graft::Llama>("SmolLM2-135M");
  auto tokenizer = graft::load_tokenizer("SmolLM2-135M");
  auto model = graft::adapt(base, graft::PrefixTuning{.length = 5});
  //! [generate]
  graft::Template form;  // what training put between source and target must stand there again
  std::vector<std::string> prompts;
  for (auto const& example : graft::read_examples("trainset.csv")) prompts.push_back(example.source + form.separator);

  auto greedy = graft::generate(model, tokenizer, prompts, graft::Greedy{.max_new_tokens = 20});
  auto sampled = graft::generate(model, tokenizer, prompts,
                                 graft::Sampling{.max_new_tokens = 20, .temperature = 0.8, .top_p = 0.95, .seed = 7});
  auto best = graft::generate(model, tokenizer, prompts,
                              graft::BeamSearch{.max_new_tokens = 20, .beams = 5, .length_penalty = 0.9});
  //! [generate]
  EXPECT_EQ(greedy.size(), prompts.size());
  EXPECT_EQ(sampled,
            graft::generate(model, tokenizer, prompts,
                            graft::Sampling{.max_new_tokens = 20, .temperature = 0.8, .top_p = 0.95, .seed = 7}));
  EXPECT_EQ(best[1], graft::generate(model, tokenizer, prompts[1],
                                     graft::BeamSearch{.max_new_tokens = 20, .beams = 5, .length_penalty = 0.9}));
  std::ostringstream out;
  //! [stream]
  graft::StreamDecoder decoder(tokenizer, true);  // holds back the bytes of half a character
  graft::Greedy settings{.max_new_tokens = 20};
  settings.on_token = [&](graft::Index, graft::Token token) { out << decoder.push(token); };
  (void)graft::generate(model, tokenizer, prompts.front(), settings);
  out << decoder.finish();
  //! [stream]
  EXPECT_EQ(out.str(), greedy.front());
  //! [processor]
  graft::Greedy no_digits{.max_new_tokens = 20};
  no_digits.processors.push_back([&tokenizer](graft::History const&, graft::Scores& scores) {
    for (graft::Token token = 0; token < scores.size(); ++token)
      if (tokenizer.decode(std::vector{token}).find_first_of("0123456789") != std::string::npos) scores.forbid(token);
  });
  std::string const text = graft::generate(model, tokenizer, prompts.front(), no_digits);
  //! [processor]
  EXPECT_EQ(text.find_first_of("0123456789"), std::string::npos);
  //! [token ids]
  auto best_two =
      graft::generate(model, {{1, 2, 3}, {4, 5}}, graft::BeamSearch{.max_new_tokens = 8, .beams = 4, .sequences = 2});
  for (graft::Generated const& one : best_two[0])
    std::cout << one.score << ' ' << one.tokens.size() << (one.finished ? "" : " (cut)") << '\n';
  //! [token ids]
  EXPECT_EQ(best_two[1].size(), 2U);
}

TEST_F(Guides, Metrics) {
  //! [metrics]
  std::vector<std::string> outputs{"The Eagle is a coffee shop by the river.", "The Mill serves Italian food."};
  graft::ReferenceLists references{
      {"The Eagle is a riverside coffee shop.", "There is a coffee shop by the river, The Eagle."},
      {"The Mill is a pub that serves Italian food."}};
  double bleu = graft::corpus_bleu(outputs, references).score;  // sacreBLEU's, in percent
  double e2e = graft::corpus_bleu(outputs, references, {.tokenization = graft::Tokenization::e2e}).score;
  graft::RougeScore rouge = graft::corpus_rouge(outputs, references);
  std::cout << "BLEU " << bleu << ", E2E's BLEU " << e2e << ", ROUGE-L " << rouge.rougeL.f1 << '\n';
  //! [metrics]
  EXPECT_GT(bleu, 0);
  EXPECT_LT(bleu, 100);
  EXPECT_GT(rouge.rougeL.f1, rouge.rouge2.f1);
}

TEST_F(Guides, Errors) {
  std::string message;
  //! [errors]
  try {
    auto base = graft::load_pretrained<graft::Llama>("gpt2");
  } catch (graft::FileError const& error) {
    message = error.what();  // [gpt2] has the model_type "gpt2"; expected llama, the architecture asked for
  }
  //! [errors]
  EXPECT_EQ(message, "[gpt2] has the model_type \"gpt2\"; expected llama, the architecture asked for");
}

}  // namespace
