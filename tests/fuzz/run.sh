#!/usr/bin/env bash
# Fuzzes for real: tests/fuzz/run.sh [seconds for each fuzzer] [names]. Needs clang with libFuzzer; LACUNA_FUZZ_CXX chooses another clang++.
# The corpus grows in build/fuzz/corpus/<name>; a crash's input belongs into tests/fuzz/seeds/<name>, once it is mended.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
out=$root/build/fuzz
clang=${LACUNA_FUZZ_CXX:-clang++}

seconds=60
if [[ ${1:-} =~ ^[0-9]+$ ]]; then
  seconds=$1
  shift
fi
names=("$@")
if ((${#names[@]} == 0)); then
  for folder in "$here"/seeds/*/; do names+=("$(basename "$folder")"); done
fi
for name in "${names[@]}"; do
  if [[ ! -f $here/$name.cpp || ! -d $here/seeds/$name ]]; then
    echo "run.sh: there is no fuzzer $name, only: $(ls "$here/seeds" | xargs)" >&2
    exit 1
  fi
done

mkdir -p "$out"
scratch=$(mktemp -d "$([[ -w /dev/shm ]] && echo /dev/shm || echo /tmp)/lacuna_fuzz.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
if ! echo 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }' |
  "$clang" -fsanitize=fuzzer,address,undefined -x c++ - -o "$scratch/probe" 2>"$out/probe.log"; then
  echo "run.sh: $clang with libFuzzer is needed (Debian: apt-get install clang libclang-rt-14-dev): $(tail -1 "$out/probe.log")" >&2
  exit 1
fi

flags=(-std=c++20 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -I"$root/include" -I"$root" -I"$root/examples"
  -isystem "${EIGEN3_INCLUDE_DIR:-/usr/include/eigen3}")
export TMPDIR=$scratch  # where fuzzers keep their files
# The C library of NetCDF may ask for more memory than there is, and copes with not getting it.
export ASAN_OPTIONS=allocator_may_return_null=1:malloc_context_size=5 UBSAN_OPTIONS=print_stacktrace=1
failed=0
for name in "${names[@]}"; do
  log=$out/$name.log
  if ! "$clang" "${flags[@]}" "$here/$name.cpp" -o "$out/$name" -lnetcdf >"$log" 2>&1; then
    echo "$name: does not compile, see $log"
    failed=1
    continue
  fi
  mkdir -p "$out/corpus/$name" "$out/crashes/$name"
  options=(-max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=8192 -use_value_profile=1 -print_final_stats=1
    -artifact_prefix="$out/crashes/$name/")
  [[ -f $here/$name.dict ]] && options+=(-dict="$here/$name.dict")
  crash=none
  if ! "$out/$name" "${options[@]}" "$out/corpus/$name" "$here/seeds/$name" >"$log" 2>&1; then
    failed=1
    crash=$(sed -n 's/.*Test unit written to //p' "$log" | tail -1)
    crash=${crash:-"see $log"}
  fi
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  coverage=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -1)
  echo "$name: ${runs:-0} executions, coverage ${coverage:-0}, crashes: $crash"
done
exit $failed
