//! Energy and strain by an installed `xtb` (GFN2-xTB): how far a geometry lies above the minimum that it relaxes into.
//!
//! The program runs twice on a molecule, in a folder of its own and on one thread: once at the geometry as it is, once relaxing it. The
//! difference is the strain. Where bonds form or break on the way it is a reaction's energy rather than strain, which shows as its size.
//!
//! # Source
//! Bannwarth, Ehlert, Grimme, J. Chem. Theory Comput. 15, 1652 (2019).

use super::point::{SinglePoint, total_energy};
use crate::error::{Error, Result};
use crate::formats::xyz;
use crate::molecule::Molecule;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// kcal/mol in a hartree.
const KCAL: f64 = 627.509_474;
/// Between two looks at a running program.
const GLANCE: Duration = Duration::from_millis(10);

/// The program, and how long it may take.
#[derive(Debug, Clone)]
pub struct Xtb {
    program: PathBuf,
    patience: Duration,
}

/// What it says of a molecule.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Energy {
    /// Total energy of the geometry as it is, in hartree.
    pub energy: f64,
    /// Energy of the geometry above the relaxed one, in kcal/mol.
    pub strain: f64,
}

/// What it says of many.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EnergySummary {
    /// Molecules with both energies.
    pub molecules: usize,
    /// Molecules without: the program gave up on them, or ran out of time.
    pub failed: usize,
    /// Mean energy an atom in hartree, over atoms; `None` where all failed.
    pub energy_per_atom: Option<f64>,
    /// Mean strain in kcal/mol.
    pub mean_strain: Option<f64>,
    /// Median strain in kcal/mol.
    pub median_strain: Option<f64>,
}

impl Xtb {
    /// The program of this name or path; each of its runs may take so long.
    ///
    /// # Errors
    /// [`Error::Program`] where it cannot be started or does not tell its version.
    pub fn find(program: impl Into<PathBuf>, patience: Duration) -> Result<Self> {
        let program = program.into();
        let trouble = |problem: String| Error::Program {
            program: program.display().to_string(),
            problem,
            remedy: "install xtb (conda-forge, or github.com/grimme-lab/xtb) and put it on PATH, or ask for no energies",
        };
        let version = Command::new(&program).arg("--version").stdin(Stdio::null()).output();
        let version = version.map_err(|error| trouble(format!("cannot be started ({error})")))?;
        if !version.status.success() {
            return Err(trouble(format!("does not tell its version ({})", version.status)));
        }
        Ok(Self { program, patience })
    }

    /// Energy and strain of a molecule with its charge ([`net_charge`]), and one unpaired electron where their number is odd.
    ///
    /// # Errors
    /// In words: the program failed, ran out of time, or did not converge.
    pub fn measure(&self, molecule: &Molecule) -> Result<Energy, String> {
        self.relaxed(molecule, &self.point(molecule)?)
    }

    /// Energy and properties of a molecule at its geometry, charge and electrons as in [`Xtb::measure`].
    ///
    /// # Errors
    /// In words: the program failed, or ran out of time.
    pub fn point(&self, molecule: &Molecule) -> Result<SinglePoint, String> {
        let (folder, mut command) = self.prepared(molecule)?;
        SinglePoint::read(&self.report(&mut command, folder.path())?).ok_or_else(|| "printed no total energy".to_owned())
    }

    /// Energy and strain of a molecule whose single point is known.
    ///
    /// # Errors
    /// In words: the program failed, ran out of time, or did not converge.
    pub fn relaxed(&self, molecule: &Molecule, SinglePoint { energy, .. }: &SinglePoint) -> Result<Energy, String> {
        let (folder, mut command) = self.prepared(molecule)?;
        let relaxed = total_energy(&self.report(command.args(["--opt", "normal"]), folder.path())?);
        let relaxed = relaxed.ok_or_else(|| "printed no total energy".to_owned())?;
        Ok(Energy { energy: *energy, strain: (energy - relaxed) * KCAL })
    }

    /// A folder with the molecule, and the command for its single point.
    fn prepared(&self, molecule: &Molecule) -> Result<(TempDir, Command), String> {
        let folder = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
        let mut text = Vec::new();
        xyz::write(&mut text, &molecule.clone().renamed("")).map_err(|error| error.to_string())?;
        std::fs::write(folder.path().join("molecule.xyz"), text).map_err(|error| format!("cannot write the geometry: {error}"))?;
        let charge = net_charge(molecule)?;
        let electrons = molecule.atomic_numbers().iter().map(|z| i32::from(*z)).sum::<i32>() - charge;
        let mut command = self.command(folder.path());
        command.args(["molecule.xyz", "--gfn", "2", "--chrg", &charge.to_string(), "--uhf", &(electrons.rem_euclid(2)).to_string()]);
        Ok((folder, command))
    }

    fn command(&self, folder: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(folder).stdin(Stdio::null()).stderr(Stdio::null());
        command.envs([("OMP_NUM_THREADS", "1"), ("MKL_NUM_THREADS", "1"), ("OMP_STACKSIZE", "1G")]);
        command
    }

    /// What a run prints.
    fn report(&self, command: &mut Command, folder: &Path) -> Result<String, String> {
        let path = folder.join("stdout");
        let file = File::create(&path).map_err(|error| format!("cannot write its output: {error}"))?;
        let mut run = command.stdout(file).spawn().map_err(|error| format!("cannot be started: {error}"))?;
        let start = Instant::now();
        let status = loop {
            match run.try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) if start.elapsed() < self.patience => std::thread::sleep(GLANCE),
                Ok(None) => {
                    // It may end by itself in this very moment.
                    let _ = run.kill();
                    let _ = run.wait();
                    return Err(format!("took more than {} s", self.patience.as_secs_f64()));
                }
                Err(error) => return Err(format!("cannot be waited for: {error}")),
            }
        };
        let said = std::fs::read(&path).map_err(|error| format!("its output cannot be read: {error}"))?;
        let said = String::from_utf8_lossy(&said).into_owned();
        if !status.success() || said.contains("FAILED TO CONVERGE") {
            return Err(format!("did not converge ({status})"));
        }
        Ok(said)
    }
}

/// The charge of a molecule: the sum of its formal charges, or its property `charge`, as extended XYZ has it, where it has none; else 0.
///
/// # Errors
/// In words: a property `charge` that is no whole number, or that is not the sum of the formal charges.
pub fn net_charge(molecule: &Molecule) -> Result<i32, String> {
    const MOST: f64 = 1000.0;
    let formal = molecule.formal_charges().map(|charges| charges.iter().map(|charge| i32::from(*charge)).sum::<i32>());
    let Some(&given) = molecule.properties().get("charge") else {
        return Ok(formal.unwrap_or(0));
    };
    if given.fract() != 0.0 || given.abs() > MOST {
        return Err(format!("cannot take charge={given}, which is no whole number of electrons"));
    }
    match formal {
        Some(formal) if formal != given as i32 => {
            Err(format!("cannot tell whether charge={given} or the formal charges, whose sum is {formal}, are right"))
        }
        _ => Ok(given as i32),
    }
}

impl EnergySummary {
    /// Summarises molecules of so many atoms each.
    pub fn of(measured: &[(usize, Option<Energy>)]) -> Self {
        let good: Vec<(usize, Energy)> = measured.iter().filter_map(|(atoms, energy)| Some((*atoms, (*energy)?))).collect();
        let (atoms, energy) = good.iter().fold((0, 0.0), |(atoms, sum), (n, e)| (atoms + n, sum + e.energy));
        let mut strains: Vec<f64> = good.iter().map(|(_, energy)| energy.strain).collect();
        strains.sort_unstable_by(f64::total_cmp);
        let count = strains.len();
        let some = |value: f64| (count > 0).then_some(value);
        let median = strains.get(count.saturating_sub(1) / 2).zip(strains.get(count / 2)).map(|(low, high)| 0.5 * (low + high));
        Self {
            molecules: count,
            failed: measured.len() - count,
            energy_per_atom: some(energy / atoms as f64),
            mean_strain: some(strains.iter().sum::<f64>() / count as f64),
            median_strain: median,
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// A program that checks what it is given and answers like xtb.
    fn fake(body: &str) -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("xtb");
        std::fs::write(&path, format!("#!/bin/sh\n[ \"$1\" = --version ] && exit 0\n{body}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        (folder, path)
    }

    fn ask(body: &str, seconds: f64, molecule: &Molecule) -> Result<Energy, String> {
        let (_folder, path) = fake(body);
        Xtb::find(path, Duration::from_secs_f64(seconds)).unwrap().measure(molecule)
    }

    fn hydroxyl(charge: i8) -> Molecule {
        let molecule = Molecule::new("oh", vec![8, 1], vec![[0.0; 3], [0.97, 0.0, 0.0]]).unwrap();
        molecule.with_formal_charges(vec![charge, 0]).unwrap()
    }

    const ANSWERS: &str = r#"
[ "$(head -n 1 molecule.xyz)" = 2 ] || exit 9
case "$*" in *"--gfn 2 --chrg -1 --uhf 0"*|*"--gfn 2 --chrg 0 --uhf 1"*) ;; *) exit 8;; esac
echo "          | TOTAL ENERGY               -4.500000000000 Eh   |"
case "$*" in *"--opt normal"*) echo "          | TOTAL ENERGY               -4.510000000000 Eh   |";; esac
"#;

    #[test]
    fn strain_is_what_relaxation_gains() {
        for charge in [-1, 0] {
            let energy = ask(ANSWERS, 20.0, &hydroxyl(charge)).unwrap();
            assert_eq!(energy.energy, -4.5);
            assert!((energy.strain - 6.27509474).abs() < 1e-9);
        }
        assert!(ask(ANSWERS, 20.0, &hydroxyl(1)).unwrap_err().contains("exit status: 8"));
    }

    #[test]
    fn a_charge_in_the_comment_counts_and_contradictions_are_told() {
        let plain = Molecule::new("oh", vec![8, 1], vec![[0.0; 3], [0.97, 0.0, 0.0]]).unwrap();
        assert_eq!(net_charge(&plain), Ok(0));
        assert_eq!(net_charge(&plain.clone().with_property("charge", -1.0)), Ok(-1));
        assert_eq!(ask(ANSWERS, 20.0, &plain.clone().with_property("charge", -1.0)).unwrap().energy, -4.5);
        assert!(net_charge(&plain.with_property("charge", 0.5)).unwrap_err().contains("no whole number"));
        assert_eq!(net_charge(&hydroxyl(-1).with_property("charge", -1.0)), Ok(-1));
        assert!(
            net_charge(&hydroxyl(-1).with_property("charge", 1.0)).unwrap_err().contains("charge=1 or the formal charges, whose sum is -1")
        );
    }

    #[test]
    fn failures_are_told_apart() {
        let start = Instant::now();
        assert_eq!(ask("exec sleep 60", 0.1, &hydroxyl(0)).unwrap_err(), "took more than 0.1 s");
        assert!(start.elapsed() < Duration::from_secs(30));
        assert!(ask("exit 128", 20.0, &hydroxyl(0)).unwrap_err().contains("128"));
        assert_eq!(ask("echo nothing", 20.0, &hydroxyl(0)).unwrap_err(), "printed no total energy");
        let fails = format!("{ANSWERS}\necho '*** FAILED TO CONVERGE GEOMETRY OPTIMIZATION IN 3 CYCLES ***'");
        assert!(ask(&fails, 20.0, &hydroxyl(0)).unwrap_err().contains("did not converge"));
        let message = Xtb::find("/no/such/xtb", Duration::ZERO).unwrap_err().to_string();
        assert!(message.starts_with("/no/such/xtb: cannot be started") && message.contains("put it on PATH"), "{message}");
    }

    #[test]
    fn summaries_count_failures_and_weigh_atoms() {
        let energy = |energy, strain| Some(Energy { energy, strain });
        let summary = EnergySummary::of(&[(2, energy(-4.0, 1.0)), (8, None), (4, energy(-14.0, 5.0))]);
        assert_eq!((summary.molecules, summary.failed), (2, 1));
        assert_eq!((summary.energy_per_atom, summary.mean_strain, summary.median_strain), (Some(-3.0), Some(3.0), Some(3.0)));
        let none = EnergySummary::of(&[(2, None)]);
        assert_eq!((none.failed, none.energy_per_atom, none.mean_strain, none.median_strain), (1, None, None, None));
    }
}
