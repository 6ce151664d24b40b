"""Writes the small golden set and the state dict that the tests of symdiff-models carry.

    python tiny_golden.py --reference FOLDER --data molecules.npz --out crates/symdiff-models/tests/golden

FOLDER holds the reference (symdiff_torch.py) and its maker of golden vectors (make_golden.py). Every file comes from them, at the sizes of the
preset `symdiff-tiny`, or smaller still (dit_block, gradients_symdiff); symdiff-tiny.npy is the state dict of the model behind symdiff_dynamics, as torch.save writes it. Molecules: the embedded set's file.
"""
import argparse
import os
import sys
import tempfile

parser = argparse.ArgumentParser()
parser.add_argument("--reference", required=True)
parser.add_argument("--data", required=True)
parser.add_argument("--out", required=True)
args = parser.parse_args()
sys.path.insert(0, args.reference)

import make_golden  # noqa: E402
import torch  # noqa: E402
from safetensors.torch import load_file  # noqa: E402

graph = dict(nf=12, layers=2)
dit = dict(xh_hidden=16, K=16, hidden=32, depth=2, heads=2, ratio=4.0)
gamma = dict(enc_hidden=16, enc_depth=1, enc_heads=2, enc_ratio=4.0, dec_hidden=8, noise_dims=3, noise_std=1.0)
make_golden.CONFIGS["tiny"] = dict(
    sizes=(5, 6, 7, 8, 9), pad=29, symdiff=dit | gamma, dit=dit, egnn=graph, gnn=graph,
    egnn_variant=graph | dict(sublayers=2, attention=False, tanh=False, norm_constant=0.5, aggregation="mean"))
# A block and all gradients, at sizes that keep their files small.
small = dict(xh_hidden=4, K=4, hidden=8, depth=1, heads=2, ratio=2.0)
make_golden.CONFIGS["smallest"] = make_golden.CONFIGS["tiny"] | dict(
    dit=small, symdiff=small | dict(enc_hidden=8, enc_depth=1, enc_heads=2, enc_ratio=2.0, dec_hidden=4, noise_dims=3, noise_std=1.0))


def write(config, folder):
    sys.argv = ["make_golden.py", "--data", args.data, "--out", folder, "--config", config]
    make_golden.main()


with tempfile.TemporaryDirectory() as folder:
    write("smallest", folder)
    smallest = {name: open(f"{folder}/{name}.safetensors", "rb").read() for name in ("dit_block", "gradients_symdiff")}
write("tiny", args.out)
for name, content in smallest.items():
    with open(f"{args.out}/{name}.safetensors", "wb") as file:
        file.write(content)
weights = load_file(f"{args.out}/training_loss_l2.safetensors")
state = {name[2:]: tensor for name, tensor in weights.items() if name.startswith("w.")}
torch.save(state, f"{args.out}/symdiff-tiny.npy")

kept = ("adamw_amsgrad_clip_ema", "dit_block", "egnn_dynamics", "egnn_dynamics_variant", "gnn_dynamics", "gaussian_basis", "gradients_egnn",
        "gradients_symdiff", "qr_gram_schmidt", "schedules", "symdiff_dynamics", "training_loss_vlb_learned")
for name in os.listdir(args.out):
    if name != "symdiff-tiny.npy" and name.removesuffix(".safetensors") not in kept:
        os.remove(f"{args.out}/{name}")
