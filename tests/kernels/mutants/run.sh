#!/usr/bin/env bash
# Plants every bug of the list into a copy of the kernels and demands that the named test fails in the named build, and that a
# sanitizer says why where one is named. That the tests pass without a bug is what the test suite says, in each of these builds.
# usage: run.sh SOURCE WORK JOBS COMPILER MAIN_OBJECTS [compiler flags...]
set -euo pipefail
source=$1 work=$2 jobs=$3 compiler=$4 main=$5
shift 5
here=$source/tests/kernels/mutants
rm -rf "$work"
mkdir -p "$work"

launcher=$(command -v ccache || true)
without_randomisation=()
# The thread sanitizer of GCC 12 does not start under the address randomisation of newer kernels.
if setarch --addr-no-randomize true 2>/dev/null; then without_randomisation=(setarch --addr-no-randomize); fi

# flags_of BUILD
flags_of() {
  case $1 in
    plain) echo "-O0" ;;
    address) echo "-O0 -fsanitize=address,undefined -fno-sanitize-recover=all" ;;
    thread) echo "-O1 -fsanitize=thread" ;;
    *) echo "no build is called '$1'" >&2; return 1 ;;
  esac
}

# check TEST BUILD KERNELS NAME FLAGS...: writes one line to KERNELS/verdict
check() {
  local test=$1 build=$2 kernels=$3 name=$4 status=0 verdict
  shift 4
  local flags
  read -ra flags <<<"$(flags_of "$build")"
  if ! $launcher "$compiler" -std=c++20 -w "${flags[@]}" -I"$kernels" "$@" -c "$source/tests/kernels/$test.cpp" \
    -o "$kernels/test.o" >"$kernels/log" 2>&1 ||
    ! "$compiler" "${flags[@]}" "$kernels/test.o" $main -o "$kernels/test" >>"$kernels/log" 2>&1; then
    echo "FAIL  does not compile: $name" >"$kernels/verdict"
    return
  fi
  TSAN_OPTIONS=halt_on_error=1 timeout 120 "${without_randomisation[@]}" "$kernels/test" --abort >"$kernels/log" 2>&1 || status=$?
  rm -f "$kernels/test.o" "$kernels/test"
  verdict="FAIL  not caught"
  if ((status != 0)); then
    verdict="ok    caught"
    case $build in
      address) grep -q "AddressSanitizer\|runtime error" "$kernels/log" || verdict="FAIL  not caught by the sanitizer" ;;
      thread) grep -q "data race" "$kernels/log" || verdict="FAIL  not caught by the sanitizer" ;;
    esac
  fi
  echo "$verdict ($test, $build): $name" >"$kernels/verdict"
}

count=0
# plant NAME TEST BUILD FILE FROM TO FLAGS...
plant() {
  local name=$1 test=$2 build=$3 file=$4 from=$5 to=$6 text
  shift 6
  local kernels=$work/$((++count))
  cp -r "$source/kernels" "$kernels"
  text=$(<"$kernels/$file")
  if [[ $text != *"$from"* ]]; then
    echo "FAIL  $file has no such text any more: $name" >"$kernels/verdict"
    return
  fi
  printf '%s\n' "${text/"$from"/"$to"}" >"$kernels/$file"
  while (($(jobs -rp | wc -l) >= jobs)); do wait -n; done
  check "$test" "$build" "$kernels" "$name" "$@" &
}

flush() {
  if [[ -n ${name:-} ]]; then plant "$name" $run "$file" "$from" "$to" "${flags[@]}"; fi
  name="" from="" to="" into=""
}
flags=("$@")
while IFS= read -r line; do
  case $line in
    "#"*) ;;
    "name: "*) flush; name=${line#name: } ;;
    "run: "*) run=${line#run: } ;;
    "file: "*) file=${line#file: } ;;
    "- "*) from=${line#- } into=from ;;
    "+ "*) to=${line#+ } into=to ;;
    "") into="" ;;
    *) if [[ $into == from ]]; then from+=$'\n'$line; else to+=$'\n'$line; fi ;;
  esac
done <"$here/list"
flush

wait
for ((i = 1; i <= count; ++i)); do cat "$work/$i/verdict"; done
echo "$count planted bugs"
! grep -q "^FAIL" "$work"/*/verdict
