#!/bin/sh
# Checks and times the CUDA program: golden files, op by op against the CPU, the sanitizer, then the benchmarks. One table last.
# Needs an NVIDIA GPU with its driver and the CUDA 13 libraries; PyTorch and compute-sanitizer are used where they are found.
cd "$(dirname "$0")" || exit 1
mkdir -p logs
chmod +x symdiff
table=logs/table.txt
: >"$table"
failed=0

# step NAME SECONDS COMMAND...: runs within the time, keeps the log, notes the outcome and the last line of output.
step() {
    name=$1 limit=$2
    shift 2
    echo "== $name"
    if timeout "$limit" "$@" >"logs/$name.out" 2>"logs/$name.err"; then outcome=ok; else outcome="FAILED ($?)" failed=1; fi
    printf '%-26s %-12s %s\n' "$name" "$outcome" "$(tail -n 1 "logs/$name.out" | cut -c 1-220)" >>"$table"
}
skip() { printf '%-26s %-12s %s\n' "$1" skipped "$2" >>"$table"; }

if [ -d golden ]; then step golden 60 ./symdiff parity --golden golden --device cuda --json; else skip golden "no golden files"; fi
step ops 60 ./symdiff check-ops --device cuda --json
if command -v compute-sanitizer >/dev/null; then
    step sanitizer 120 compute-sanitizer --error-exitcode 9 ./symdiff check-ops --device cuda --json
else
    skip sanitizer "no compute-sanitizer"
fi
data=$(ls -d data* 2>/dev/null | head -n 1)
for batch in 64 256; do
    for kind in step sample; do
        step "bench-$kind-$batch" 40 ./symdiff bench "$kind" --model symdiff-qm9 --batch "$batch" --steps 20 --warmup 5 \
            ${data:+--data "$data"} --device cuda --json
    done
done
if [ -e reference.py ] && python3 -c 'import torch' 2>/dev/null; then
    for options in "" "--bf16 --compile"; do
        # shellcheck disable=SC2086
        step "pytorch$(echo "$options" | tr -d ' ')" 60 python3 reference.py --device cuda $options
    done
else
    skip pytorch "no PyTorch, or no reference.py"
fi

echo
nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2>/dev/null
cat "$table"
exit $failed
