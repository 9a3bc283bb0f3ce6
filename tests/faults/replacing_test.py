"""An output that cannot be replaced is refused before work begins: another user's in a folder with the sticky bit, an immutable one, one on a read-only mount."""

import os
import shutil
import subprocess

import faults
import programs
import tiny_model

NOBODY = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")


def can_be_nobody():
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        return False
    return subprocess.run([*NOBODY, programs.PATHS["score"], "--help"], capture_output=True).returncode == 0


class Replacing(faults.FaultTest):
    """A program that gets as far as its model says that there is none; one that looks at its outputs first does not."""

    def setUp(self):
        super().setUp()
        self.folder.chmod(0o755)
        self.open = self.folder / "open"
        self.open.mkdir()
        self.open.chmod(0o1777)
        self.no_model = self.folder / "no-model"
        self.data = self.folder / "data.tsv"
        self.data.write_text("a\t0\nb\t1\n" * 4)

    def commands(self, folder, file):
        """Every program with its outputs in place of what stands there."""
        model = ("--model", self.no_model)
        yield "finetune", *model, "--train", self.data, "--output", folder
        yield "generate", *model, "--prompt", "a", "--output", file
        for program in ("seq2seq", "classify"):
            yield program, *model, "--train", self.data, "--method", "lora", "--output", folder
            yield program, *model, "--train", self.data, "--method", "lora", "--test", self.data, "--predictions", file
        yield "convert", *model, "--adapter", self.folder / "no-adapter", "--output", folder
        yield "convert", *model, "--adapter", self.folder / "no-adapter", "--merge", "--output", folder
        yield "convert", "--adapter", self.folder / "no-adapter", "--output", file.with_suffix(".npy")

    def outputs(self):
        folder, file = self.open / "adapter", self.open / "out.txt"
        folder.mkdir()
        (folder / "adapter_config.json").write_text("kept")
        for path in (file, file.with_suffix(".npy")):
            path.write_text("kept")
        return folder, file

    def check(self, prefix, folder, file, says):
        for program, *arguments in self.commands(folder, file):
            with self.subTest(program, arguments=arguments):
                done = subprocess.run([*prefix, programs.PATHS[program], *map(str, arguments)], capture_output=True, text=True)
                self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
                self.assertRegex(done.stderr, says)
                self.assertNotIn("no-model", done.stderr)
                self.assertNotIn("no-adapter", done.stderr)
        for path in (folder / "adapter_config.json", file, file.with_suffix(".npy")):
            self.assertEqual(path.read_text(), "kept")
        self.assertEqual(sorted(path.name for path in self.open.iterdir()), ["adapter", "out.npy", "out.txt"])

    def test_another_users_in_a_sticky_folder(self):
        if not can_be_nobody():
            self.skipTest("needs root, setpriv, and programs that everybody may run")
        folder, file = self.outputs()
        for path in (folder, folder / "adapter_config.json", file, file.with_suffix(".npy")):
            path.chmod(0o777)
        (folder).chmod(0o1777)
        self.check(NOBODY, folder, file, r"cannot be replaced; got: Operation not permitted")

    def test_a_folder_without_permission(self):
        if not can_be_nobody():
            self.skipTest("needs root, setpriv, and programs that everybody may run")
        folder, file = self.outputs()
        self.open.chmod(0o755)
        self.check(NOBODY, folder, file, "Permission denied")

    def test_immutable_files(self):
        folder, file = self.outputs()
        paths = [str(path) for path in (folder / "adapter_config.json", file, file.with_suffix(".npy"))]
        if not shutil.which("chattr") or subprocess.run(["chattr", "+i", *paths], capture_output=True).returncode != 0:
            subprocess.run(["chattr", "-i", *paths], capture_output=True)
            self.skipTest("this file system has no immutable files")
        self.addCleanup(subprocess.run, ["chattr", "-i", *paths])
        self.check((), folder, file, "cannot be replaced; got: Operation not permitted")

    def test_a_mount_that_is_read_only(self):
        folder, file = self.outputs()
        mount = f"mount -t tmpfs none {self.open} && mkdir {folder} && for f in {folder}/adapter_config.json {file} {file.with_suffix('.npy')}; do echo > $f; done && mount -o remount,ro {self.open}"
        if subprocess.run(["unshare", "-m", "-r", "sh", "-c", mount], capture_output=True).returncode != 0:
            self.skipTest("no name space of mounts of one's own")
        self.check(("unshare", "-m", "-r", "sh", "-c", mount + ' && exec "$@"', "sh"), folder, file, "Read-only file system")

    def test_a_file_that_is_a_mount_point(self):
        folder, file = self.outputs()
        other = self.folder / "other"
        other.write_text("other")
        mount = f"mount --bind {other} {file}"
        if subprocess.run(["unshare", "-m", "-r", "sh", "-c", mount], capture_output=True).returncode != 0:
            self.skipTest("no name space of mounts of one's own")
        done = subprocess.run(["unshare", "-m", "-r", "sh", "-c", mount + ' && exec "$@"', "sh", programs.PATHS["generate"], "--model", str(self.no_model), "--prompt", "a", "--output", str(file)],
                              capture_output=True, text=True)
        self.assertIn("cannot be replaced; got: Device or resource busy", done.stderr)
        self.assertEqual(other.read_text(), "other")

    def test_rows_of_compare(self):
        if not can_be_nobody():
            self.skipTest("needs root, setpriv, and programs that everybody may run")
        model, out = self.folder / "model", self.open / "out"
        tiny_model.write_llama(model)
        data = self.folder / "pairs.txt"
        data.write_text("".join(f"name : N{i} || N{i} is a pub.\n" for i in range(16)))
        (out / "rows").mkdir(parents=True)
        (out / "rows" / "none.json").write_text("kept")
        for path in (out, out / "rows"):
            path.chmod(0o1777)
        arguments = ["--model", model, "--data", data, "--methods", "none", "--validation-rows", 2, "--test-sources", 2, "--max-new", 3, "--out", out]
        done = subprocess.run([*NOBODY, programs.PATHS["compare"], *map(str, arguments)], capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"none\.json\] cannot be replaced")
        self.assertNotIn("[1/1]", done.stderr)


class Own(faults.FaultTest):
    def test_what_may_be_replaced_still_is(self):
        """Looking changes nothing and refuses nothing of one's own: files, empty folders, links."""
        model = self.folder / "model"
        tiny_model.write_llama(model)
        sticky = self.folder / "sticky"
        sticky.mkdir()
        sticky.chmod(0o1777)
        (sticky / "real.txt").write_text("old")
        (sticky / "link.txt").symlink_to("real.txt")
        programs.run("generate", "--model", model, "--prompt", "a", "--max-new", 2, "--output", sticky / "link.txt")
        self.assertTrue((sticky / "link.txt").is_symlink())
        self.assertNotEqual((sticky / "real.txt").read_text(), "old")
        data = self.folder / "data.tsv"
        data.write_text("a\tb\n" * 4)
        (sticky / "empty").mkdir()
        programs.run("finetune", "--model", model, "--train", data, "--method", "lora", "--steps", 1, "--output", sticky / "empty")
        programs.run("finetune", "--model", model, "--train", data, "--method", "lora", "--steps", 2, "--output", sticky / "empty")
        self.assertEqual(sorted(path.name for path in sticky.iterdir()), ["empty", "link.txt", "real.txt"])


if __name__ == "__main__":
    faults.main()
