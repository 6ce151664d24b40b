//! Fixed schedules against vectors of the reference implementation.

use candle_core::DType;
use symdiff_diffusion::{Cosine, Polynomial, Schedule};

symdiff_golden::tests![tables_agree_with_the_golden_file];

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn tables_agree_with_the_golden_file() -> Outcome {
    let golden = symdiff_golden::tensors("schedules")?;
    let polynomial = Polynomial { power: 2.0, precision: 1e-5 }.tabulated(1000)?;
    for (name, table) in [("polynomial_2", polynomial), ("cosine", Cosine::default().tabulated(1000)?)] {
        let wanted = golden[&format!("out.gamma_{name}")].to_dtype(DType::F64)?.to_vec1::<f64>()?;
        for (t, wanted) in wanted.into_iter().enumerate() {
            let got = -table.log_snr(t as f64 / 1000.0);
            assert!((got - wanted).abs() < 1e-6 * wanted.abs().max(1.0), "{name} at {t}: {got}, golden {wanted}");
        }
    }
    Ok(())
}
