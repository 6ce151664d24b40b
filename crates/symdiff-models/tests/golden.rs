//! Every file of vectors of the reference implementation, at its own tolerances.

use candle_core::Device;
use symdiff_models::{Error, parity};

symdiff_golden::tests![the_reference_is_met];

fn the_reference_is_met() -> Result<(), Error> {
    let mut failures = Vec::new();
    for file in parity::files(&symdiff_golden::shared().join("golden"))? {
        let report = parity::check(&file, &Device::Cpu)?;
        println!("{report}");
        if !report.pass {
            failures.push(report.to_string());
        }
    }
    assert_eq!(failures, Vec::<String>::new());
    Ok(())
}
