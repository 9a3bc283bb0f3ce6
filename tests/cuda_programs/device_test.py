"""The programs on a GPU, which is emulated here: they come to what they come to on the host."""

import argparse
import json
import shutil
import sys

import programs
from programs import PATHS, ProgramTest, run, run_json

ON_GPU = ("--device", "cuda", "--dtype", "fp32")
SMALL = ("--method", "lora", "--rank", "2", "--steps", "4", "--batch", "2", "--seed", "3")


class Device(ProgramTest):
    def finetune(self, name, *options, program="finetune-emulated"):
        return run_json(program, "--model", self.model, "--data", self.data, *SMALL, "--output", self.folder / name, *options)

    def test_trains_as_the_host_does(self):
        host, gpu = self.finetune("host", program="finetune"), self.finetune("gpu", *ON_GPU)
        self.assertEqual((host["device"], host["dtype"], gpu["device"], gpu["dtype"]), ("cpu", "fp32", "cuda", "fp32"))
        self.assertAlmostEqual(gpu["validation_loss"], host["validation_loss"], delta=1e-4)
        self.assertAlmostEqual(gpu["training_loss"], host["training_loss"], delta=1e-4)
        self.assertGreater(gpu["peak_device_memory_mib"], 0)
        self.assertNotIn("peak_device_memory_mib", host)
        # either's adapter is the other's
        sources = self.write("sources.txt", "name : A\nname : B | type : pub\n")
        for adapter in ("host", "gpu"):
            words = ("--model", self.model, "--adapter", self.folder / adapter, "--sources", sources, "--max-new", "5")
            self.assertEqual(run("generate-emulated", *words, *ON_GPU)[0], run("generate", *words)[0])
            self.assertEqual(run("generate-emulated", *words)[0], run("generate", *words)[0])  # on the host, by the same program
        text, _ = run("generate-emulated", "--model", self.model, "--prompt", "name", "--max-new", "4", *ON_GPU)
        self.assertEqual(text, run("generate", "--model", self.model, "--prompt", "name", "--max-new", "4")[0])

    def test_activations_are_bfloat16_unless_said_otherwise(self):
        host, gpu = self.finetune("a", program="finetune"), self.finetune("b", "--device", "cuda")
        self.assertEqual(gpu["dtype"], "bf16")
        self.assertAlmostEqual(gpu["validation_loss"], host["validation_loss"], delta=2e-2 * host["validation_loss"])
        self.assertNotEqual(gpu["validation_loss"], host["validation_loss"])
        out, err = run("generate", "--model", self.model, "--adapter", self.folder / "b", "--prompt", "name", "--max-new", "3")
        self.assertNotIn("another base", err)  # the rounded base stands for the file's

    def test_checkpoints_move_between_devices(self):
        for first, second in ((("finetune",), ("finetune-emulated", *ON_GPU)), (("finetune-emulated", *ON_GPU), ("finetune",))):
            with self.subTest(first):
                place = self.folder / f"checkpoints-of-{first[0]}"
                checkpoint = ("--checkpoint", place, "--checkpoint-every", "2", "--max-tokens", "384")
                whole = self.finetune(f"whole-{first[0]}", *checkpoint, *first[1:], program=first[0])
                newest = max(path for path in place.iterdir() if path.is_dir())
                shutil.rmtree(newest)
                rest = self.finetune(f"rest-{first[0]}", *checkpoint, "--resume", *second[1:], program=second[0])
                self.assertAlmostEqual(rest["validation_loss"], whole["validation_loss"], delta=1e-4)

    def test_checkpoints_in_other_numbers_are_refused(self):
        checkpoint = ("--checkpoint", self.folder / "narrow", "--checkpoint-every", "2")
        self.finetune("narrow-out", *checkpoint, "--device", "cuda")
        self.refused("finetune-emulated", "--model", self.model, "--data", self.data, *SMALL, *checkpoint, "--resume", *ON_GPU, "--output", self.folder / "c",
                     says="activations in other numbers; got bfloat16")

    def test_compares_on_the_device(self):
        words = ("--model", self.model, "--data", self.data, "--methods", "prefix,full", "--rows", "4", "--validation-rows", "2", "--test-sources", "2", "--max-new", "3", "--metrics", "bleu")
        gpu = json.loads(run("compare-emulated", *words, "--out", self.folder / "on-gpu", "--json", *ON_GPU)[0])
        host = json.loads(run("compare", *words, "--out", self.folder / "on-host", "--json")[0])
        self.assertEqual((gpu["budget"]["device"], gpu["budget"]["dtype"], host["budget"]["device"]), ("cuda", "fp32", "cpu"))
        self.assertEqual(len(gpu["rows"]), 3)
        for on_gpu, on_host in zip(gpu["rows"], host["rows"]):
            self.assertFalse(on_gpu.get("error"))
            self.assertAlmostEqual(on_gpu["runs"][0]["validation_loss"], on_host["runs"][0]["validation_loss"], delta=1e-3)
        # rows that the host made are not taken for the device's
        again = json.loads(run("compare-emulated", *words, "--out", self.folder / "on-gpu", "--json", "--device", "cuda")[0])
        self.assertEqual(again["budget"]["dtype"], "bf16")
        self.assertNotEqual(again["rows"][1]["runs"][0]["validation_loss"], gpu["rows"][1]["runs"][0]["validation_loss"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for program in ("finetune", "generate", "compare"):
        parser.add_argument(f"--{program}-emulated", required=True)
    emulated, sys.argv[1:] = parser.parse_known_args()
    PATHS.update({name.replace("_", "-"): path for name, path in vars(emulated).items()})
    programs.main()
