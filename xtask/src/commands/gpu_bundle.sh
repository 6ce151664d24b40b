#!/bin/sh
# Checks and times the CUDA program: golden files, op by op against the CPU, the sanitizer, training in f32 against bf16, then each op alone and the benchmarks,
# against PyTorch where it is found. One table last; exit code 1 when a check failed. Ends within nine minutes.
# Needs an NVIDIA GPU with its driver, and the CUDA 13 libraries (cuBLAS, cuRAND, the runtime).
cd "$(dirname "$0")" || exit 2
BUDGET=530
begin=$(date +%s)
mkdir -p logs
table=logs/table.txt
: >"$table"
failed=0

# The libraries: those of an installed toolkit, or of Python's wheels.
wheels=$(python3 -c 'import sysconfig; print(sysconfig.get_path("purelib"))' 2>/dev/null)/nvidia/cu13/lib
for folder in /usr/local/cuda/lib64 "$wheels"; do
    [ -d "$folder" ] && LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$folder
done
export LD_LIBRARY_PATH

note() { printf '%-24s %-12s %s\n' "$1" "$2" "$3" | tee -a "$table"; }

# figures FILE: what the last JSON line says, the keys that a table wants.
figures() {
    tail -n 1 "$1" | grep -oE '"(pass|comparisons|loss|steps|(train|sample)_(s_per_step|s_per_call|molecules_per_s))": ?[^,}]*' |
        tr -d '" ' | sort -u | tr '\n' ' '
}

# step NAME SECONDS COMMAND...: runs within that time and what is left of the budget, keeps the log, notes outcome and figures.
step() {
    name=$1 limit=$2
    shift 2
    left=$((BUDGET - $(date +%s) + begin))
    [ "$left" -lt "$limit" ] && limit=$left
    if [ "$limit" -lt 5 ]; then
        note "$name" "not run" "no time left"
        return
    fi
    timeout "$limit" "$@" >"logs/$name.out" 2>"logs/$name.err"
    code=$?
    case $code in
    0) note "$name" ok "$(figures "logs/$name.out")" ;;
    124) failed=1 && note "$name" "TIMED OUT" "after $limit s" ;;
    *) failed=1 && note "$name" "FAILED ($code)" "$(tail -n 1 "logs/$name.err" | cut -c 1-160)" ;;
    esac
}

gunzip -c symdiff.gz >symdiff && chmod +x symdiff || exit 2
if ! ./symdiff --version >logs/start.out 2>logs/start.err; then
    cat logs/start.err >&2
    echo "The program does not start: it needs the driver and the CUDA 13 libraries on LD_LIBRARY_PATH." >&2
    exit 2
fi

gpu=$(nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2>/dev/null | head -n 1)
data=
[ -e data.npz ] && data=data.npz

if [ -d golden ]; then step golden 40 ./symdiff parity --golden golden --device cuda --json; else note golden skipped "no golden files"; fi
step ops 60 ./symdiff check-ops --device cuda --json
if command -v compute-sanitizer >/dev/null; then
    step sanitizer 100 compute-sanitizer --error-exitcode 9 ./symdiff check-ops --device cuda --json
else
    note sanitizer skipped "no compute-sanitizer"
fi
printf '[model]\npreset = "symdiff-small"\n[train]\nbatch = 64\nsteps = 300\nlog_every = 50\n' >logs/experiment.toml
for precision in f32 bf16; do
    rm -rf "logs/run-$precision"
    step "train-$precision" 25 ./symdiff train logs/experiment.toml --set "train.precision=$precision" --out "logs/run-$precision" \
        --device cuda --json
done
for precision in f32 bf16; do
    step "each-op-$precision" 25 ./symdiff bench ops --precision "$precision" --device cuda
    for kind in step sample; do
        step "$kind-256-$precision" 25 ./symdiff bench "$kind" --model symdiff-qm9 --batch 256 --steps 50 --warmup 10 \
            --precision "$precision" ${data:+--data "$data"} --device cuda --json
    done
done
if [ -n "$data" ] && [ -e reference/bench_torch.py ] && python3 -c 'import torch, sys; sys.exit(not torch.cuda.is_available())' 2>/dev/null; then
    step pytorch-256-f32 50 python3 reference/bench_torch.py --config symdiff-qm9 --batch 256 --steps 50 --warmup 10 --data "$data" \
        --device cuda
    step pytorch-256-bf16-compile 200 python3 reference/bench_torch.py --config symdiff-qm9 --batch 256 --steps 20 --warmup 8 \
        --data "$data" --device cuda --bf16 --compile --no-sample
else
    note pytorch skipped "no data, no reference, or no PyTorch with a GPU"
fi

echo
echo "${gpu:-no GPU seen}, $(($(date +%s) - begin)) s"
cat "$table"
cat logs/each-op-*.out
exit $failed
