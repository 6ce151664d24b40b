//! What the launcher of a process says of it, in the environment.

use std::path::PathBuf;

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
const MPI: [[&str; 3]; 3] = [
    ["OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK"],
    ["PMIX_RANK", "SLURM_NTASKS", "SLURM_LOCALID"],
    ["PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID"],
];

impl Launched {
    /// What the environment says; `None` of a process that was started alone, also where a launcher started no other.
    pub fn find() -> Option<Self> {
        Self::read(|name| std::env::var(name).ok())
    }

    fn read(variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let number = |name: &str| variable(name)?.parse::<usize>().ok();
        let described = |[rank, size, local]: [&str; 3], launcher| {
            let (rank, size) = (number(rank)?, number(size)?);
            Some(Self { rank, size, local: number(local).unwrap_or(rank), launcher })
        };
        let script = || {
            let rendezvous = variable("SYMDIFF_RENDEZVOUS")?.into();
            described(["RANK", "WORLD_SIZE", "LOCAL_RANK"], Launcher::Script { rendezvous })
        };
        let found = MPI.into_iter().find_map(|names| described(names, Launcher::Mpi)).or_else(script);
        found.filter(|found| found.size > 1 && found.rank < found.size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn launchers_are_told_apart_and_a_single_process_is_alone() {
        let read = |variables: &[(&str, &str)]| {
            let variables: Vec<(String, String)> = variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
            Launched::read(move |wanted| variables.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone()))
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
}
