//! What the launcher of a process says of it, in the environment.

use std::path::PathBuf;
use symdiff_train::{Error, Result};

/// How many processes were started together, and which of them this one is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launched {
    /// The number of this process, from 0.
    pub rank: usize,
    /// How many there are.
    pub size: usize,
    /// The number of this process among those of its machine: which GPU it takes.
    pub local: usize,
    /// What started them.
    pub launcher: Launcher,
}

/// What started the processes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Launcher {
    /// One of MPI: `mpirun`, `mpiexec`, or `srun` with PMI.
    Mpi,
    /// A script that sets `RANK`, `WORLD_SIZE`, `LOCAL_RANK` and `SYMDIFF_RENDEZVOUS`, a file by which processes with GPUs find each other.
    Script {
        /// The file; it does not exist yet.
        rendezvous: PathBuf,
    },
}

/// Where launchers of MPI leave rank, size and local rank: Open MPI; Slurm with PMIx; MPICH, Intel MPI and Slurm with PMI-2.
const MPI: [[&str; 3]; 4] = [
    ["OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK"],
    ["PMIX_RANK", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID"],
    ["PMIX_RANK", "SLURM_NTASKS", "SLURM_LOCALID"],
    ["PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID"],
];

impl Launched {
    /// What the environment says; `None` of a process that was started alone, also where a launcher started no other.
    ///
    /// # Errors
    /// [`Error::Ranks`] when a script names a meeting place, but no rank below a number of processes.
    pub fn find() -> Result<Option<Self>> {
        Self::read(|name| std::env::var(name).ok())
    }

    fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>> {
        let number = |name: &str| variable(name)?.parse::<usize>().ok();
        let described = |[rank, size, local]: [&str; 3], launcher| {
            let (rank, size) = (number(rank)?, number(size)?);
            Some(Self { rank, size, local: number(local).unwrap_or(rank), launcher })
        };
        let of_mpi = MPI.into_iter().find_map(|names| described(names, Launcher::Mpi));
        let found = match (of_mpi, variable("SYMDIFF_RENDEZVOUS")) {
            (None, Some(file)) => {
                let launcher = Launcher::Script { rendezvous: file.into() };
                let found = described(["RANK", "WORLD_SIZE", "LOCAL_RANK"], launcher).filter(|found| found.rank < found.size);
                Some(found.ok_or_else(|| {
                    let [rank, size] = ["RANK", "WORLD_SIZE"].map(|name| variable(name).unwrap_or_else(|| "missing".into()));
                    Error::Ranks(format!(
                        "SYMDIFF_RENDEZVOUS is set, so RANK must be a number from 0 and WORLD_SIZE a larger one; they are {rank} and {size}"
                    ))
                })?)
            }
            (of_mpi, _) => of_mpi,
        };
        Ok(found.filter(|found| found.size > 1 && found.rank < found.size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn launchers_are_told_apart_and_a_single_process_is_alone() {
        let read = |variables: &[(&str, &str)]| {
            let variables: Vec<(String, String)> = variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
            Launched::read(move |wanted| variables.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone())).unwrap()
        };
        let is = |rank, size, local, launcher| Some(Launched { rank, size, local, launcher });
        let open_mpi =
            [("OMPI_COMM_WORLD_RANK", "5"), ("OMPI_COMM_WORLD_SIZE", "8"), ("OMPI_COMM_WORLD_LOCAL_RANK", "1"), ("PMIX_RANK", "5")];
        assert_eq!(read(&open_mpi), is(5, 8, 1, Launcher::Mpi));
        assert_eq!(read(&[("PMIX_RANK", "3"), ("SLURM_NTASKS", "4"), ("SLURM_LOCALID", "1")]), is(3, 4, 1, Launcher::Mpi));
        assert_eq!(read(&[("PMI_RANK", "1"), ("PMI_SIZE", "2")]), is(1, 2, 1, Launcher::Mpi));
        let loop_of_a_shell = [("RANK", "2"), ("WORLD_SIZE", "4"), ("LOCAL_RANK", "2"), ("SYMDIFF_RENDEZVOUS", "/tmp/id")];
        assert_eq!(read(&loop_of_a_shell), is(2, 4, 2, Launcher::Script { rendezvous: "/tmp/id".into() }));
        // Other programs use RANK for other things; a batch script of Slurm has its variables before anything is started.
        assert_eq!(read(&loop_of_a_shell[..3]), None);
        assert_eq!(read(&[("SLURM_NTASKS", "4"), ("SLURM_PROCID", "0")]), None);
        assert_eq!(read(&[("OMPI_COMM_WORLD_RANK", "0"), ("OMPI_COMM_WORLD_SIZE", "1")]), None);
        assert_eq!(read(&[]), None);
    }

    #[test]
    fn a_script_that_numbers_processes_wrongly_is_told_so() {
        for (rank, size) in [("8", Some("8")), ("one", Some("8")), ("0", None)] {
            let variable = |name: &str| match name {
                "SYMDIFF_RENDEZVOUS" => Some("/tmp/id".into()),
                "RANK" => Some(rank.into()),
                "WORLD_SIZE" => size.map(str::to_owned),
                _ => None,
            };
            let told = Launched::read(variable).map_err(|error| error.to_string()).err().unwrap_or_default();
            assert!(told.contains(&format!("they are {rank} and {}", size.unwrap_or("missing"))), "{told}");
        }
    }
}
