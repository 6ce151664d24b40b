//! The ops against vectors of the reference implementation.

use candle_core::{DType, Tensor, Var};
use symdiff_golden::{assert_close, tensors};
use symdiff_ops::adamw::{Moments, Rule, global_norm};
use symdiff_ops::gram_schmidt3::{By, gram_schmidt3};
use symdiff_ops::{Ragged, Result, pair_gaussian_mean};

symdiff_golden::tests![adamw_takes_five_steps_with_clipping, gram_schmidt3_and_its_gradient_agree, pair_gaussian_mean_agrees];

fn flat(tensor: &Tensor) -> Result<Vec<f64>> {
    Ok(tensor.to_dtype(DType::F64)?.flatten_all()?.to_vec1()?)
}

/// AdamW with AMSGrad, clipping and the moving average of the weights.
fn adamw_takes_five_steps_with_clipping() -> Result<()> {
    let golden = tensors("adamw_amsgrad_clip_ema")?;
    let names = ["weight", "bias"];
    let vars = names.map(|name| Var::from_tensor(&golden[&format!("in.param.{name}")]));
    let vars = vars.into_iter().collect::<candle_core::Result<Vec<_>>>()?;
    let mut moments = vars.iter().map(|var| Moments::new(var, true)).collect::<Result<Vec<_>>>()?;
    for step in 0..5_u64 {
        let gradients = names.map(|name| &golden[&format!("in.grad.{step}.{name}")]);
        let norm = global_norm(&gradients)?.to_scalar::<f64>()?;
        let expected = flat(&golden[&format!("out.norm.{step}")])?[0];
        assert!((norm - expected).abs() < 1e-5 * expected, "norm {norm}, expected {expected}");
        let scale = (2.0 / (norm + 1e-6)).min(1.0);
        let rule = Rule { lr: 0.01, weight_decay: 0.1, ema: 0.9, step: step + 1, scale, ..Rule::default() };
        for (k, name) in names.into_iter().enumerate() {
            moments[k].step(&vars[k], gradients[k], &rule)?;
            assert_close("parameter", &vars[k], &golden[&format!("out.param.{step}.{name}")], 1e-5)?;
            assert_close("average", &moments[k].average()?, &golden[&format!("out.ema.{step}.{name}")], 1e-5)?;
        }
    }
    Ok(())
}

/// Matrices up to condition number 1e6; gradients up to 100.
fn gram_schmidt3_and_its_gradient_agree() -> Result<()> {
    let golden = tensors("qr_gram_schmidt")?;
    let (a, weights) = (&golden["in.a"], &golden["in.grad_q"]);
    let conditions = flat(&golden["in.cond"])?;
    for (by, name) in [(By::Columns, "cols"), (By::Rows, "rows")] {
        let var = Var::from_tensor(a)?;
        let q = gram_schmidt3(&var, by)?;
        assert_close(name, &q, &golden[&format!("out.q_{name}")], 1e-5)?;
        let identity = Tensor::eye(3, DType::F32, q.device())?.broadcast_as((100, 3, 3))?;
        assert_close("Q·Qᵀ", &q.matmul(&q.transpose(1, 2)?)?, &identity, 1e-6)?;
        let store = (q * weights)?.sum_all()?.backward()?;
        let gradient = store.get(&var).map(flat).transpose()?.unwrap_or_default();
        let norms = flat(&a.sqr()?.sum((1, 2))?.sqrt()?)?;
        let scaled: Vec<f64> = (0..900).map(|k| if conditions[k / 9] < 100.0 { gradient[k] * norms[k / 9] } else { 0.0 }).collect();
        let expected = &golden[&format!("grad_a_{name}_scaled")];
        assert_close(&format!("gradient on {name}"), &Tensor::from_vec(scaled, (100, 3, 3), a.device())?, expected, 1e-5)?;
    }
    Ok(())
}

fn pair_gaussian_mean_agrees() -> Result<()> {
    let golden = tensors("gaussian_basis")?;
    let sizes: Vec<usize> = golden["in.num_atoms"].to_vec1::<i64>()?.into_iter().map(|n| n as usize).collect();
    let strip = |name: &str| -> Result<Tensor> {
        let rows = sizes.iter().enumerate().map(|(i, &n)| Ok(golden[name].get(i)?.narrow(0, 0, n)?));
        Ok(Tensor::cat(&rows.collect::<Result<Vec<_>>>()?, 0)?)
    };
    let weight = |name: &str| -> Result<Tensor> { Ok(golden[&format!("w.gaussian_embedder.{name}.weight")].flatten_all()?) };
    let layout = Ragged::from_sizes(&sizes)?;
    let mean = pair_gaussian_mean(&strip("in.x")?, &weight("means")?, &weight("stds")?, &layout)?;
    let sum = mean.broadcast_mul(&symdiff_ops::spread(&layout.sizes_tensor(DType::F32, mean.device())?, &layout)?)?;
    Ok(assert_close("basis_sum", &sum, &strip("out.basis_sum")?, 1e-5)?)
}
