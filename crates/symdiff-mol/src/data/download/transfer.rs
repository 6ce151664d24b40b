//! One file over HTTP, taken up again where a connection broke.

use super::archives::Remote;
use super::checksum::{md5, md5_of, sha256, sha256_of};
use crate::error::{Error, Result};
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use ureq::Agent;
use ureq::http::{Response, StatusCode, header};

/// Broken connections in a row, without a byte gained, before the download is given up.
const PATIENCE: u32 = 4;
/// Redirects that are followed to where the bytes lie.
const MOST_REDIRECTS: u32 = 10;
/// A server that is silent for so long is gone.
const SILENCE: Duration = Duration::from_secs(60);

/// What to do after bytes that are not those of the file.
const THROWN_AWAY: &str = "the bytes were thrown away: run the command again, or fetch the file by other means";

/// A file that is wanted from a server.
pub(super) struct Wanted<'a> {
    /// Where it is.
    pub(super) url: &'a str,
    /// Its name here.
    pub(super) path: &'a Path,
    /// Its length, where it is known.
    pub(super) bytes: Option<u64>,
    /// Its checksum, where one is published.
    pub(super) checksum: Option<Checksum<'a>>,
    /// What to do where the server has no such file.
    pub(super) remedy: &'static str,
}

/// A checksum as its publisher prints it, in hexadecimal digits.
#[derive(Clone, Copy)]
pub(super) enum Checksum<'a> {
    Md5(&'a str),
    Sha256(&'a str),
}

impl Checksum<'_> {
    /// What a file has instead; `None` where it has this one.
    pub(super) fn differs(self, path: &Path) -> Result<Option<String>> {
        Ok(self.unlike(match self {
            Self::Md5(_) => md5_of(path)?,
            Self::Sha256(_) => sha256_of(path)?,
        }))
    }

    /// The same of a file that is open.
    fn differs_in(self, file: &File, path: &Path) -> Result<Option<String>> {
        Ok(self.unlike(match self {
            Self::Md5(_) => md5(file, path)?,
            Self::Sha256(_) => sha256(file, path)?,
        }))
    }

    fn unlike(self, found: String) -> Option<String> {
        let (Self::Md5(expected) | Self::Sha256(expected)) = self;
        (!found.eq_ignore_ascii_case(expected)).then_some(found)
    }
}

/// Downloads a file into a folder, unless it is there already; `progress` is called with the bytes so far and the bytes in all, if known.
/// Returns the file's path.
///
/// # Errors
/// [`Error::Download`] where the server cannot be reached, refuses, or sends other bytes, or another number of them, than were published; [`Error::Output`] where
/// another process fetches the same file; it and [`Error::Io`] for a refusal of the disk. What has come so far stays for the next run, unless it is wrong.
pub fn download(remote: &Remote, folder: &Path, progress: &mut dyn FnMut(u64, Option<u64>)) -> Result<PathBuf> {
    let path = folder.join(remote.file);
    let checksum = Some(Checksum::Md5(remote.md5));
    let remedy = "the file may have moved: look for it at the data set's home page";
    transfer(&Wanted { url: remote.url, path: &path, bytes: remote.bytes, checksum, remedy }, progress)?;
    Ok(path)
}

/// The same of any file.
pub(super) fn transfer(wanted: &Wanted, progress: &mut dyn FnMut(u64, Option<u64>)) -> Result<()> {
    if wanted.is_there()? {
        return Ok(());
    }
    let folder = wanted.path.parent().unwrap_or(wanted.path);
    fs::create_dir_all(folder).map_err(|source| Error::io(folder, "create it", source))?;
    let part = Part::of(wanted)?;
    // Another process may have fetched it before this one had the part.
    if wanted.is_there()? { Ok(()) } else { fetched(wanted, &part, progress) }
}

impl Wanted<'_> {
    /// Whether it was fetched earlier, as far as a checksum tells.
    fn is_there(&self) -> Result<bool> {
        match self.checksum {
            Some(checksum) if self.path.exists() => Ok(checksum.differs(self.path)?.is_none()),
            _ => Ok(false),
        }
    }
}

/// What has come so far of a file, in `NAME.part` beside its place, which one process writes at a time. It stays for the next run, unless it is empty.
struct Part {
    path: PathBuf,
    file: File,
}

impl Part {
    fn of(wanted: &Wanted) -> Result<Self> {
        let mut name = wanted.path.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        let path = wanted.path.with_file_name(name);
        Ok(Self { file: symdiff_files::reserve(&path, wanted.path)?, path })
    }

    fn length(&self) -> u64 {
        self.file.metadata().map_or(0, |metadata| metadata.len())
    }

    /// Keeps so many bytes, after which others are written.
    fn keep(&self, bytes: u64) -> Result<()> {
        let kept = self.file.set_len(bytes).and_then(|()| (&self.file).seek(SeekFrom::Start(bytes)));
        kept.map(drop).map_err(|source| self.refused(source))
    }

    fn write(&self, bytes: &[u8]) -> Result<()> {
        (&self.file).write_all(bytes).map_err(|source| self.refused(source))
    }

    /// What its checksum is where it is not this one.
    fn differs(&self, checksum: Checksum) -> Result<Option<String>> {
        (&self.file).seek(SeekFrom::Start(0)).map_err(|source| self.refused(source))?;
        checksum.differs_in(&self.file, &self.path)
    }

    fn refused(&self, source: io::Error) -> Error {
        Error::io(&self.path, "write to it", source)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if self.length() == 0 {
            // What cannot be removed is litter, which the next run uses.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Fetches what is missing, checks it and gives it its name.
fn fetched(wanted: &Wanted, part: &Part, progress: &mut dyn FnMut(u64, Option<u64>)) -> Result<()> {
    let agent = agent(MOST_REDIRECTS);
    let (mut most, mut idle) = (part.length(), 0);
    loop {
        match attempt(&agent, wanted, part, progress) {
            Ok(()) => break,
            Err(Trouble::Final(error)) => return Err(error),
            Err(Trouble::Cut(problem)) => {
                let have = part.length();
                // Bytes that come once more are no gain.
                idle = if have > most { 0 } else { idle + 1 };
                most = most.max(have);
                if idle == PATIENCE {
                    return Err(trouble(
                        wanted,
                        problem,
                        "check the network, then run the same command again: it continues where it stopped",
                    ));
                }
                tracing::warn!("{}: {problem}; trying again from byte {have}", wanted.url);
                std::thread::sleep(Duration::from_millis(200) * idle);
            }
        }
    }
    if let Some(found) = wanted.checksum.map(|checksum| part.differs(checksum)).transpose()?.flatten() {
        part.keep(0)?;
        return Err(trouble(wanted, format!("the checksum of what came is {found}, which is not the published one"), THROWN_AWAY));
    }
    part.file.sync_all().map_err(|source| part.refused(source))?;
    fs::rename(&part.path, wanted.path).map_err(|source| Error::io(wanted.path, "create it", source))
}

/// A client that tells every status, and follows so many redirects.
pub(super) fn agent(redirects: u32) -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(redirects)
        .timeout_connect(Some(SILENCE))
        .timeout_recv_response(Some(SILENCE))
        .build()
        .into()
}

/// Why an attempt ended early.
enum Trouble {
    /// Worth another attempt.
    Cut(String),
    /// Not.
    Final(Error),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

/// Asks for what is missing and appends what comes.
fn attempt(agent: &Agent, wanted: &Wanted, part: &Part, progress: &mut dyn FnMut(u64, Option<u64>)) -> std::result::Result<(), Trouble> {
    let mut have = part.length();
    if wanted.bytes.is_some_and(|bytes| have > bytes) {
        // More than there is of the file is nothing of it.
        part.keep(0)?;
        have = 0;
    }
    if wanted.bytes.is_some_and(|bytes| bytes == have) {
        return Ok(());
    }
    let mut request = agent.get(wanted.url);
    if have > 0 {
        request = request.header(header::RANGE, format!("bytes={have}-"));
    }
    let response = request.call().map_err(|error| Trouble::Cut(error.to_string()))?;
    let start = match response.status() {
        StatusCode::PARTIAL_CONTENT if range_start(&response) == Some(have) => have,
        StatusCode::OK => 0,
        StatusCode::RANGE_NOT_SATISFIABLE | StatusCode::PARTIAL_CONTENT if have > 0 => {
            part.keep(0)?;
            return Err(Trouble::Cut("the server has no such part of the file".to_owned()));
        }
        status if status.is_server_error() => return Err(Trouble::Cut(format!("the server answers {status}"))),
        status => return Err(trouble(wanted, format!("the server answers {status}"), wanted.remedy).into()),
    };
    let announced = content_length(&response).map(|rest| start + rest);
    if let Some((bytes, announced)) = wanted.bytes.zip(announced).filter(|(bytes, announced)| bytes != announced) {
        return Err(trouble(wanted, format!("the server has {announced} bytes of it, and {bytes} are published"), wanted.remedy).into());
    }
    part.keep(start)?;
    let total = announced.or(wanted.bytes);
    let mut body = response.into_body().into_reader();
    let (mut buffer, mut have) = (vec![0; 1 << 16], start);
    loop {
        let read = match body.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Trouble::Cut(format!("the connection broke at byte {have} ({error})"))),
        };
        have += read as u64;
        if let Some(bytes) = wanted.bytes.filter(|bytes| have > *bytes) {
            part.keep(0)?;
            return Err(trouble(wanted, format!("more than the {bytes} bytes came that are published"), THROWN_AWAY).into());
        }
        part.write(&buffer[..read])?;
        progress(have, total);
    }
    match total {
        Some(total) if have < total => Err(Trouble::Cut(format!("the connection ended at byte {have} of {total}"))),
        _ => Ok(()),
    }
}

fn content_length<B>(response: &Response<B>) -> Option<u64> {
    response.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// `bytes START-END/TOTAL`
fn range_start<B>(response: &Response<B>) -> Option<u64> {
    let range = response.headers().get(header::CONTENT_RANGE)?.to_str().ok()?;
    range.strip_prefix("bytes ")?.split('-').next()?.parse().ok()
}

fn trouble(wanted: &Wanted, problem: String, remedy: &'static str) -> Error {
    Error::Download { url: wanted.url.to_owned(), problem, remedy }
}
