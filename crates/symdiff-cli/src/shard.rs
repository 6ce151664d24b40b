//! A share of a command's work in a file of its own, for machines that no engine joins: `--shard i/n` writes it, `gather` joins all of them.
//!
//! The first line is a head that says what the share is of, with a checksum of both itself and the rest: one result a line.

use crate::destination::Destination;
use crate::failure::{Failure, Outcome};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;
use std::hash::Hasher;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use symdiff_train::Share;
use twox_hash::XxHash3_64;

/// The version of the file.
const FORMAT: u32 = 1;

/// Which share, as an argument: `0/4` is the first of four.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shard(pub(crate) Share);

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let share = text.split_once('/').and_then(|(index, count)| Some([index.parse::<u32>().ok()?, count.parse().ok()?]));
        share
            .filter(|[index, count]| index < count)
            .map(|[index, count]| Self(Share { index: index as usize, count: count as usize }))
            .ok_or_else(|| "a share is needed, such as 0/4, 1/4, 2/4 or 3/4 of four".into())
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        write!(out, "{}/{}", self.0.index, self.0.count)
    }
}

/// What a share is of. Shares of one result agree in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Work {
    /// The command.
    pub(crate) command: String,
    /// All that its result depends on.
    settings: Map<String, Value>,
}

impl Work {
    /// A command's work, with all that its result depends on.
    pub(crate) fn new<K: Into<String>>(command: &str, settings: impl IntoIterator<Item = (K, Value)>) -> Self {
        Self { command: command.to_owned(), settings: settings.into_iter().map(|(key, value)| (key.into(), value)).collect() }
    }

    /// One of the settings, null where there is none.
    pub(crate) fn setting(&self, key: &str) -> &Value {
        self.settings.get(key).unwrap_or(&Value::Null)
    }

    /// The options of the command that made the shares.
    ///
    /// # Errors
    /// [`Failure::Input`] where they are none of it.
    pub(crate) fn options<T: DeserializeOwned>(&self) -> Outcome<T> {
        serde_json::from_value(Value::Object(self.settings.clone())).map_err(Failure::input)
    }
}

/// The first line of a file.
#[derive(Serialize, Deserialize)]
struct Head {
    symdiff_shard: u32,
    index: usize,
    count: usize,
    checksum: String,
    #[serde(flatten)]
    work: Work,
}

/// Writes a share, `lines`, to its place.
///
/// # Errors
/// [`Failure::Run`] where the disk refuses.
pub(crate) fn write(mut out: Destination, path: &Path, shard: Shard, work: Work, lines: &str) -> Outcome<()> {
    let Share { index, count } = shard.0;
    let mut head = Head { symdiff_shard: FORMAT, index, count, checksum: String::new(), work };
    head.checksum = checksum(&head, lines)?;
    let head = serde_json::to_string(&head).map_err(Failure::run)?;
    for part in [head.as_bytes(), b"\n", lines.as_bytes()] {
        out.write_all(part).map_err(|error| Failure::file(path, "write to it", &error))?;
    }
    out.finish()
}

/// The lines of all shares in their order, and what they are of.
///
/// # Errors
/// [`Failure::Input`] where a file is no share or damaged, shares are of different things, or one is missing or there twice.
pub(crate) fn join(paths: &[PathBuf]) -> Outcome<(Work, String)> {
    let mut shards = paths.iter().map(|path| Ok((path, read(path)?))).collect::<Outcome<Vec<_>>>()?;
    shards.sort_by_key(|(_, (head, _))| head.index);
    let Some((first, (head, _))) = shards.first() else { return Err(Failure::input("no shards to join; name their files")) };
    let (work, count) = (head.work.clone(), head.count);
    for (path, (other, _)) in &shards {
        if let Some(difference) = difference(&work, &other.work).or_else(|| (other.count != count).then(|| "the number of shares".into())) {
            return Err(Failure::input(format!(
                "{} and {} differ in {difference}; join shares of one result",
                first.display(),
                path.display()
            )));
        }
    }
    let places: Vec<usize> = shards.iter().map(|(_, (head, _))| head.index).collect();
    if let Some(missing) = (0..count).find(|index| !places.contains(index)) {
        return Err(Failure::input(format!("share {missing}/{count} is missing; draw it with `--shard {missing}/{count}`")));
    }
    if let Some((twice, _)) = places.iter().zip(places.iter().skip(1)).find(|(first, second)| first == second) {
        return Err(Failure::input(format!("share {twice}/{count} is there twice; name each file once")));
    }
    Ok((work, shards.into_iter().map(|(_, (_, lines))| lines).collect()))
}

fn read(path: &Path) -> Outcome<(Head, String)> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::file(path, "read it", &error))?;
    let refuse = |problem: &str| Failure::input(format!("{}: {problem}", path.display()));
    let (head, lines) = text.split_once('\n').ok_or_else(|| refuse("is no shard; files of `--shard` are needed"))?;
    let mut head: Head = serde_json::from_str(head).map_err(|_| refuse("is no shard; files of `--shard` are needed"))?;
    if head.symdiff_shard != FORMAT {
        return Err(refuse("was written by another version of this program; draw it again"));
    }
    let recorded = std::mem::take(&mut head.checksum);
    if recorded != checksum(&head, lines)? {
        return Err(refuse("has changed since it was written: its checksum differs; draw it again"));
    }
    Ok((head, lines.to_owned()))
}

/// The first thing in which two kinds of work differ, with both values.
fn difference(one: &Work, other: &Work) -> Option<String> {
    if one.command != other.command {
        return Some(format!("the command: {} and {}", one.command, other.command));
    }
    let settings = [&one.settings, &other.settings];
    let key = settings.iter().flat_map(|settings| settings.keys()).find(|key| settings[0].get(*key) != settings[1].get(*key))?;
    let [one, other] = [one, other].map(|work| work.setting(key));
    Some(format!("{key}: {one} and {other}"))
}

/// Of the head without its checksum, and the lines.
fn checksum(head: &Head, lines: &str) -> Outcome<String> {
    let mut hash = XxHash3_64::new();
    hash.write(&serde_json::to_vec(head).map_err(Failure::run)?);
    hash.write(lines.as_bytes());
    Ok(format!("{:016x}", hash.finish()))
}
