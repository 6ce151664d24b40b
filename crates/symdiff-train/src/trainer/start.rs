//! How a run begins: fresh, or from its last checkpoint; alone, or in step with other processes.

use super::{BEST, CHECKPOINT, Trainer};
use crate::checkpoint::{self, Checkpoint};
use crate::{Alone, Error, FolderLock, Optimiser, Ranks, Result, Settings, Streams, Task, Variables};
use std::path::Path;
use symdiff_ops::adamw::Parts;

impl<T: Task> Trainer<T> {
    /// True when a run directory holds a checkpoint to go on from.
    pub fn has_checkpoint(folder: &Path) -> bool {
        folder.join(CHECKPOINT).exists()
    }

    /// A fresh run in `folder`, which is made. `variables` are what the task's loss depends on, and what is learned.
    ///
    /// # Errors
    /// [`Error::Settings`] when a setting is out of its range, [`Error::Busy`] when another process writes in the folder, [`Error::Checkpoint`] when
    /// it holds a run already, [`Error::Io`] when it cannot be written.
    pub fn start(task: T, variables: impl Into<Variables>, settings: Settings, seed: u64, folder: &Path) -> Result<Self> {
        Self::start_with(Alone, task, variables, settings, seed, folder)
    }

    /// Goes on with the run in `folder`, whose task and seed must be the same; what [`Settings::continues`] leaves out may differ.
    ///
    /// # Errors
    /// As [`start`](Self::start), and [`Error::Checkpoint`] when the checkpoint is damaged, or belongs to another task or seed.
    pub fn resume(task: T, variables: impl Into<Variables>, settings: Settings, seed: u64, folder: &Path) -> Result<Self> {
        Self::resume_with(Alone, task, variables, settings, seed, folder)
    }
}

impl<T: Task, R: Ranks> Trainer<T, R> {
    /// [`start`](Trainer::start) on several processes, each of which makes this call with a task, variables and a folder that are the same.
    ///
    /// # Errors
    /// As [`start`](Trainer::start); [`Error::Settings`] when the processes cannot have equally many shares; [`Error::Ranks`] when they do not start from
    /// the same state or one of them is lost.
    pub fn start_with(ranks: R, task: T, variables: impl Into<Variables>, settings: Settings, seed: u64, folder: &Path) -> Result<Self> {
        settings.check_for(ranks.size())?;
        let lock = if ranks.rank() == 0 {
            std::fs::create_dir_all(folder).map_err(Error::io(folder, "create the run folder"))?;
            let lock = FolderLock::acquire(folder)?;
            if Trainer::<T>::has_checkpoint(folder) {
                return Err(Error::checkpoint(&folder.join(CHECKPOINT), "is that of a run; resume it, or choose another folder"));
            }
            Some(lock)
        } else {
            None
        };
        let mut trainer = Self::assemble(ranks, task, variables.into(), settings, seed, folder, lock)?;
        trainer.agree()?;
        trainer.overlap()?;
        Ok(trainer)
    }

    /// [`resume`](Trainer::resume) on several processes, as many as one likes; each of them reads the checkpoint.
    ///
    /// # Errors
    /// As [`resume`](Trainer::resume) and [`start_with`](Self::start_with).
    pub fn resume_with(ranks: R, task: T, variables: impl Into<Variables>, settings: Settings, seed: u64, folder: &Path) -> Result<Self> {
        settings.check_for(ranks.size())?;
        let variables = variables.into();
        let path = folder.join(CHECKPOINT);
        if !path.exists() {
            return Err(Error::checkpoint(&path, "does not exist; there is no run to resume"));
        }
        let lock = (ranks.rank() == 0).then(|| FolderLock::acquire(folder)).transpose()?;
        let loaded = checkpoint::load(&path, &variables.device())?;
        task.continues(&loaded.header.record).map_err(|problem| Error::checkpoint(&path, problem))?;
        if loaded.header.seed != seed {
            let problem = format!("was started with seed {}, not {seed}; leave the seed out or choose another folder", loaded.header.seed);
            return Err(Error::checkpoint(&path, problem));
        }
        let mut trainer = Self::assemble(ranks, task, variables, settings, seed, folder, lock)?;
        trainer.restore(loaded).map_err(|error| match error {
            Error::Weights(problem) => Error::checkpoint(&path, problem),
            other => other,
        })?;
        trainer.agree()?;
        trainer.overlap()?;
        Ok(trainer)
    }

    fn assemble(
        ranks: R,
        task: T,
        variables: Variables,
        settings: Settings,
        seed: u64,
        folder: &Path,
        lock: Option<FolderLock>,
    ) -> Result<Self> {
        if lock.is_some() {
            // The lock is held: what is half written belongs to a process that was killed.
            for name in [CHECKPOINT, BEST] {
                symdiff_files::sweep(&folder.join(name));
            }
        }
        let optimiser = Optimiser::new(&variables, settings.optimiser())?;
        let Streams { draws, validation, .. } = Streams::of(seed);
        let folder = folder.to_owned();
        let unread = Vec::new();
        Ok(Self {
            task,
            variables,
            settings,
            seed,
            folder,
            optimiser,
            draws,
            validation,
            ranks,
            overlaps: false,
            buckets: None,
            _lock: lock,
            unread,
            step: 0,
            seconds: 0.0,
        })
    }

    fn restore(&mut self, mut loaded: Checkpoint) -> Result<()> {
        self.variables.load(&loaded.take("param")?)?;
        let maximum = self.settings.amsgrad.then(|| loaded.take("vmax")).transpose()?;
        let moments = Parts { first: loaded.take("m")?, second: loaded.take("v")?, maximum, average: loaded.take("ema")? };
        self.optimiser.load(&moments, &loaded.header.norms)?;
        (self.step, self.seconds) = (loaded.header.step, loaded.header.seconds);
        Ok(())
    }

    /// Refuses to train with a process that starts from another state: sums of its gradients with ours would mean nothing.
    fn agree(&self) -> Result<()> {
        if self.ranks.size() == 1 {
            return Ok(());
        }
        let mine = checkpoint::fingerprint(&(self.header(), &self.settings), &self.optimiser.tensors()?);
        let all = self.ranks.gather(&mine.to_le_bytes())?;
        match all.iter().position(|theirs| *theirs != all[0]) {
            None => Ok(()),
            Some(other) => Err(Error::Ranks(format!(
                "rank {other} does not start from the state of rank 0; start all ranks with the same command, program, data and kind of processor"
            ))),
        }
    }

    /// Sums gradients beside the backward pass where that was asked for and all processes can; rank 0 warns where one cannot.
    fn overlap(&mut self) -> Result<()> {
        if !self.settings.overlap {
            return Ok(());
        }
        let why = self.why_not_overlapped();
        self.overlaps = !self.ranks.any(why.is_some())?;
        if !self.overlaps && self.ranks.rank() == 0 {
            tracing::warn!("train.overlap has no effect: {}", why.unwrap_or("another process cannot do it"));
        }
        Ok(())
    }
}
