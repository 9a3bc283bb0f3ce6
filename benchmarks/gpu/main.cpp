// Times training, generation and single operations on the GPU; prints a JSON line for each job.
// benchmarks/run_on_gpu.sh runs it beside its peer.
#include <iostream>
#include <string>

#include <CLI/CLI.hpp>

#include <graft/io/json.hpp>
#include <graft/tensor/device_copy.hpp>

#include "gpu/jobs.hpp"
#include "support/random_base.hpp"

int main(int argc, char** argv) try {
  std::string model, shape = "gpt2-small", jobs_file;
  bool narrow = false, operations = false, describe = false;
  graft::Index rows = 8, length = 1024;
  int repeats = 50;
  CLI::App app{"Times training, generation and single operations on the GPU; prints a JSON line for each."};
  app.add_option("--model", model, "Hugging Face folder or GGUF file; without it, random weights of --shape");
  app.add_option("--shape", shape, "whose shape random weights have")
      ->capture_default_str()
      ->check(CLI::IsMember(benchmark_support::shape_names()));
  app.add_flag("--device", describe, "only say which device there is");
  app.add_flag("--narrow", narrow, "random weights are stored in bfloat16");
  app.add_option("--jobs", jobs_file, "JSON file, a list of jobs (gpu/jobs.hpp says what is in one)");
  app.add_flag("--operations", operations, "single operations for --rows rows of --length tokens");
  app.add_option("--rows", rows)->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--length", length)->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--repeats", repeats, "calls of an operation that are timed together")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  try {
    app.parse(argc, argv);
  } catch (CLI::ParseError const& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (std::string const why = graft::cuda_unavailable(); !why.empty())
    graft::fail("[gpu] got ", why,
                "; expected an NVIDIA GPU and a driver for this program's CUDA; hint: nvidia-smi lists both");
  if (describe) {
    std::cout << graft::kernels::cuda::Listed<graft::kernels::cuda::Runtime, graft::Cuda>::describe() << "\n";
    return 0;
  }
  auto const base = model.empty() ? gpu::random(shape, narrow) : gpu::load(model);
  auto const print = [](nlohmann::json const& line) { std::cout << line.dump() << std::endl; };
  if (!jobs_file.empty())
    for (auto const& job : graft::read_json(jobs_file)) try {
        print(gpu::run_job(*base, job));
      } catch (graft::Error const& error) {  // such as one that does not fit into memory: the next may
        auto failed = job;
        failed["peer"] = "graft";
        failed["error"] = error.what();
        print(failed);
      }
  if (operations)
    for (auto const& line : gpu::time_operations(*base, rows, length, repeats)) print(line);
  return 0;
} catch (std::exception const& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
