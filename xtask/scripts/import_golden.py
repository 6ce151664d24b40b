"""Writes what the tests of `import` take over: state dicts and arguments as the published program leaves them.

    python import_golden.py --reference FOLDER --data molecules.npz --out crates/symdiff-models/tests/golden/import

FOLDER holds the reference (symdiff_torch.py) and its maker of golden vectors (make_golden.py). Every expected value is the reference's own.

averaged.npy     state dict of the average, in f32 and over every parameter, of thousands of training steps of a model of the size `symdiff-tiny`
averaged.safetensors   inputs and draws; its noise predictions at two paddings, and its likelihood under the averaged table of the schedule
run/             a graph network's run: generative_model_ema.npy beside its args.pickle
half.npy, bfloat16.npy, legacy.npy   the same weights in other types, and in the format that torch wrote before 1.6
"""
import argparse
import copy
import os
import pickle
import sys

parser = argparse.ArgumentParser()
parser.add_argument("--reference", required=True)
parser.add_argument("--data", required=True)
parser.add_argument("--out", required=True)
parser.add_argument("--steps", type=int, default=6000)
options = parser.parse_args()
sys.path.insert(0, options.reference)

import numpy as np  # noqa: E402
import torch  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

import make_golden  # noqa: E402
import symdiff_torch as R  # noqa: E402

TINY = dict(xh_hidden=16, K=16, hidden=32, depth=2, heads=2, ratio=4.0, enc_hidden=16, enc_depth=1, enc_heads=2, enc_ratio=4.0, dec_hidden=8,
            noise_dims=3, noise_std=1.0)
SIZES, PAD = (5, 6, 7, 8, 9), 29
os.makedirs(f"{options.out}/run", exist_ok=True)
rng = np.random.default_rng(11)
torch.manual_seed(11)
torch.set_num_threads(1)


def averaged():
    """Trains, and averages in f32 as the published program does."""
    model = make_golden.randomise(R.Diffusion(R.build_dynamics("symdiff", 6, **TINY)), 5)
    average, optimiser, clip = copy.deepcopy(model), R.make_optimizer(model, 1e-4), R.GradClip("norm")
    batches = [make_golden.molecules(options.data, SIZES[:3], rng) for _ in range(20)]
    for step in range(options.steps):
        batch = batches[step % len(batches)]
        loss = model.training_loss(batch["x"], batch["onehot"], batch["charge"], batch["mask"]).mean()
        R.optim_step(loss, model, optimiser, clip, average)
    drift = (average.gamma.gamma - model.gamma.gamma).abs().max().item()
    print(f"the table drifted by {drift:.2e} in {options.steps} averaged steps")
    return average


def expected(model):
    """Inputs, draws, and what the model makes of them, in f64."""
    a = make_golden.molecules(options.data, SIZES, rng)
    batch, padded = a["mask"].shape[:2]
    normal = lambda *shape: torch.randn(batch, *shape)  # noqa: E731
    a |= {f"{name}{k}": tensor for k in ("", "0") for name, tensor in dict(
        eps_raw=normal(padded, 9), haar_gauss=normal(3, 3), gamma_noise=normal(padded, 3)).items()}
    a = {name.replace("eps_raw0", "eps0_raw"): tensor for name, tensor in a.items()}
    # Times at which the weights of the bound differ most between the averaged and the exact table.
    exact_table = R.GammaTable("polynomial_2", 1000, 1e-5).gamma.double()
    steps = [torch.diff(table) for table in (model.gamma.gamma.detach().double(), exact_table)]
    order = (steps[0] - steps[1]).abs()[50:950].argsort(descending=True)
    a["t_int"] = (order[[0, 1, 2, 8, 100]] + 51).sort().values
    exact = copy.deepcopy(model).double()
    v = {name: tensor.double() if tensor.is_floating_point() else tensor for name, tensor in a.items()}
    dyn, dyn0 = (dict(haar=R.gram_schmidt(v[f"haar_gauss{k}"]), gamma_noise=v[f"gamma_noise{k}"]) for k in ("", "0"))
    with torch.no_grad():
        out = {"nll": exact.nll(v["x"], v["onehot"], v["charge"], v["mask"], v["t_int"], v["eps_raw"], v["eps0_raw"], dyn, dyn0)}
        plain = copy.deepcopy(exact)
        plain.gamma = R.GammaTable("polynomial_2", 1000, 1e-5).double()
        other = plain.nll(v["x"], v["onehot"], v["charge"], v["mask"], v["t_int"], v["eps_raw"], v["eps0_raw"], dyn, dyn0)
        out["nll_exact_table"] = other
        print("nll", out["nll"].tolist(), "under the exact table", (other - out["nll"]).tolist(), "at", a["t_int"].tolist())
        z = exact.last["z_t"]
        t = v["t_int"].double() / 1000
        out["eps"] = exact.dynamics(z, t, v["mask"], **dyn) * v["mask"]
        wide = dict(haar=dyn["haar"], gamma_noise=make_golden.repad(dyn["gamma_noise"], PAD))
        out["eps_pad29"] = exact.dynamics(make_golden.repad(z, PAD), t, make_golden.repad(v["mask"], PAD), **wide)[:, :padded] * v["mask"]
    tensors = {f"in.{name}": tensor for name, tensor in a.items()} | {"in.z": z, "in.t": t} | {f"out.{k}": x for k, x in out.items()}
    return {k: (x if x.dtype == torch.int64 else x.float()).contiguous().clone() for k, x in tensors.items()}


def run():
    """A graph network of four channels and 50 steps, and the arguments that the published program would have pickled with it."""
    model = make_golden.randomise(R.Diffusion(R.build_dynamics("egnn", 6, nf=4, layers=1), T=50, precision=1e-4), 7)
    state = model.state_dict()
    torch.save(state, f"{options.out}/run/generative_model_ema.npy")
    torch.save({k: v.half() for k, v in state.items()}, f"{options.out}/half.npy")
    torch.save({k: v.bfloat16() for k, v in state.items()}, f"{options.out}/bfloat16.npy")
    torch.save(state, f"{options.out}/legacy.npy", _use_new_zipfile_serialization=False)
    args = argparse.Namespace(
        exp_name="tiny", model="egnn_dynamics", probabilistic_model="diffusion", diffusion_steps=50, diffusion_noise_schedule="polynomial_2",
        diffusion_noise_precision=1e-4, diffusion_loss_type="l2", n_epochs=200, batch_size=64, lr=1e-4, condition_time=True, clip_grad=True,
        n_layers=1, inv_sublayers=1, nf=4, tanh=True, attention=True, norm_constant=1, sin_embedding=False, dataset="qm9", datadir="qm9/temp",
        filter_n_atoms=None, data_augmentation=False, conditioning=[], resume=None, ema_decay=0.9999, augment_noise=0,
        normalize_factors=[1, 4, 10], remove_h=False, include_charges=True, visualize_every_batch=1e8, normalization_factor=1,
        aggregation_method="sum", cuda=False, context_node_nf=0, device=torch.device("cpu"), dtype=torch.float32)
    with open(f"{options.out}/run/args.pickle", "wb") as file:
        pickle.dump(args, file)


run()
average = averaged()
torch.save(average.state_dict(), f"{options.out}/averaged.npy")
save_file(expected(average), f"{options.out}/averaged.safetensors")
