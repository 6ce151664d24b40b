//! What GFN2-xTB says of a geometry as it is, read from the program's report.

use serde::{Deserialize, Serialize};

/// Energy and properties at one geometry; `None` where the program says nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SinglePoint {
    /// Total energy, in hartree.
    pub energy: f64,
    /// Gap between the highest occupied and the lowest unoccupied orbital, in eV.
    pub gap: Option<f64>,
    /// Energy of the highest occupied orbital, in eV.
    pub homo: Option<f64>,
    /// Energy of the lowest unoccupied orbital, in eV.
    pub lumo: Option<f64>,
    /// Dipole moment, in debye.
    pub mu: Option<f64>,
    /// Static polarisability, in bohr³.
    pub alpha: Option<f64>,
}

impl SinglePoint {
    /// The names of the properties, as the embedded data set has them too.
    pub const NAMES: [&str; 6] = ["energy", "gap", "homo", "lumo", "mu", "alpha"];

    /// A property by its name.
    pub fn property(&self, name: &str) -> Option<f64> {
        match name {
            "energy" => Some(self.energy),
            "gap" => self.gap,
            "homo" => self.homo,
            "lumo" => self.lumo,
            "mu" => self.mu,
            "alpha" => self.alpha,
            _ => None,
        }
    }

    /// Reads a report; each number where it stands last. `None` without a total energy.
    pub(super) fn read(report: &str) -> Option<Self> {
        let last = |marks: &str| report.lines().rev().find(|line| line.contains(marks));
        let orbital = |marks: &str| last(marks)?.split(marks).next().and_then(final_number);
        let dipole = report.rsplit_once("molecular dipole:").map(|(_, after)| after);
        Some(Self {
            energy: total_energy(report)?,
            gap: last("HOMO-LUMO GAP").and_then(final_number),
            homo: orbital("(HOMO)"),
            lumo: orbital("(LUMO)"),
            mu: dipole.and_then(|table| table.lines().find(|line| line.trim_start().starts_with("full:"))).and_then(final_number),
            alpha: last("Mol. α(0)").and_then(final_number),
        })
    }
}

/// The last `TOTAL ENERGY` of a report, in hartree.
pub(super) fn total_energy(report: &str) -> Option<f64> {
    report.lines().rev().find(|line| line.contains("TOTAL ENERGY")).and_then(final_number)
}

fn final_number(line: &str) -> Option<f64> {
    line.split_whitespace().rev().find_map(|word| word.parse::<f64>().ok()).filter(|number| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of xtb 6.5.1 about water.
    const REPORT: &str = "
         4        2.0000           -0.4474927             -12.1769 (HOMO)
         5                          0.0901379               2.4528 (LUMO)
 Mol. α(0) /au        :          9.428780
molecular dipole:
                 x           y           z       tot (Debye)
 q only:        0.000      -0.000      -0.625
   full:       -0.000      -0.000      -0.894       2.271
molecular quadrupole (traceless):
   full:       -1.250      -0.000       1.417       0.000       0.000      -0.167
          | TOTAL ENERGY               -5.070370761845 Eh   |
          | HOMO-LUMO GAP              14.629673576893 eV   |
";

    #[test]
    fn a_report_is_read() {
        let found = SinglePoint::read(REPORT).unwrap();
        let numbers: Vec<Option<f64>> = SinglePoint::NAMES.iter().map(|name| found.property(name)).collect();
        let expected = [-5.070_370_761_845, 14.629_673_576_893, -12.1769, 2.4528, 2.271, 9.428_780];
        assert_eq!(numbers, expected.map(Some));
        assert_eq!(found.property("Cv"), None);
        let bare = SinglePoint::read("          | TOTAL ENERGY               -0.5 Eh   |").unwrap();
        assert_eq!((bare.energy, bare.gap, bare.homo, bare.mu, bare.alpha), (-0.5, None, None, None, None));
        assert_eq!(SinglePoint::read("nothing"), None);
    }
}
