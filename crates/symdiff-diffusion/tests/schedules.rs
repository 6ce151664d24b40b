//! Fixed schedules against printed values.

use symdiff_diffusion::{Cosine, Polynomial, Schedule, Tabulated};

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn tables() -> symdiff_diffusion::Result<[(&'static str, Tabulated); 2]> {
    let polynomial = Polynomial { power: 2.0, precision: 1e-5 }.tabulated(1000)?;
    Ok([("polynomial_2", polynomial), ("cosine", Cosine::default().tabulated(1000)?)])
}

/// γ at t = 0, 1, 250, 500, 999, 1000 of 1000, computed once by the reference implementation.
const PRINTED: [[f64; 6]; 2] = [
    [-11.51291561126709, -11.330595016479492, -1.9820419549942017, -0.251309335231781, 11.176730155944824, 11.512516021728516],
    [-10.096047401428223, -9.345763206481934, -1.7048736810684204, 0.027741173282265663, 12.930123329162598, 19.837881088256836],
];

#[test]
fn tables_have_the_printed_values_and_fall() -> Outcome {
    for ((name, table), printed) in tables()?.into_iter().zip(PRINTED) {
        for (t, gamma) in [0.0, 0.001, 0.25, 0.5, 0.999, 1.0].into_iter().zip(printed) {
            assert!((-table.log_snr(t) - gamma).abs() < 1e-6 * gamma.abs().max(1.0), "{name} at {t}: {}", -table.log_snr(t));
        }
        let falls = (0..1000).all(|t| table.log_snr(f64::from(t) / 1000.0) > table.log_snr(f64::from(t + 1) / 1000.0));
        assert!(falls, "{name}: log SNR must fall at every step");
    }
    Ok(())
}

#[test]
fn tables_that_leave_no_room_for_noise_are_refused() {
    for alphas in [vec![0.5], vec![1.0, 0.5], vec![0.9, 0.0]] {
        let message = Tabulated::from_alphas_squared(&alphas).err().map(|error| error.to_string()).unwrap_or_default();
        assert_eq!(message, "diffusion: a schedule needs at least two values of α², all strictly between 0 and 1");
    }
}
