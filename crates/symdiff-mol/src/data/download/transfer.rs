//! One file over HTTP, taken up again where a connection broke.

use super::archives::Remote;
use super::checksum::{md5_of, sha256_of};
use crate::error::{Error, Result};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
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
        let (expected, found) = match self {
            Self::Md5(expected) => (expected, md5_of(path)?),
            Self::Sha256(expected) => (expected, sha256_of(path)?),
        };
        Ok((!found.eq_ignore_ascii_case(expected)).then_some(found))
    }
}

/// Downloads a file into a folder, unless it is there already; `progress` is called with the bytes so far and the bytes in all, if known.
/// Returns the file's path.
///
/// # Errors
/// [`Error::Download`] where the server cannot be reached, refuses, or sends other bytes than were published; [`Error::Io`] for
/// a refusal of the disk. What has come so far stays for the next run, unless its checksum is wrong.
pub fn download(remote: &Remote, folder: &Path, progress: &mut dyn FnMut(u64, Option<u64>)) -> Result<PathBuf> {
    let path = folder.join(remote.file);
    let checksum = Some(Checksum::Md5(remote.md5));
    let remedy = "the file may have moved: look for it at the data set's home page";
    transfer(&Wanted { url: remote.url, path: &path, bytes: remote.bytes, checksum, remedy }, progress)?;
    Ok(path)
}

/// The same of any file.
pub(super) fn transfer(wanted: &Wanted, progress: &mut dyn FnMut(u64, Option<u64>)) -> Result<()> {
    let &Wanted { path, checksum: Some(checksum), .. } = wanted else {
        return fetched(wanted, progress);
    };
    if path.exists() && checksum.differs(path)?.is_none() {
        return Ok(());
    }
    fetched(wanted, progress)
}

/// Fetches what is missing, checks it and gives it its name.
fn fetched(wanted: &Wanted, progress: &mut dyn FnMut(u64, Option<u64>)) -> Result<()> {
    let folder = wanted.path.parent().unwrap_or(wanted.path);
    fs::create_dir_all(folder).map_err(|source| Error::io(folder, "create it", source))?;
    let mut name = wanted.path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = wanted.path.with_file_name(name);
    let agent = agent(MOST_REDIRECTS);
    let mut idle = 0;
    loop {
        let before = length(&part);
        match attempt(&agent, wanted, &part, progress) {
            Ok(()) => break,
            Err(Trouble::Final(error)) => return Err(error),
            Err(Trouble::Cut(problem)) => {
                idle = if length(&part) > before { 0 } else { idle + 1 };
                if idle == PATIENCE {
                    return Err(trouble(
                        wanted,
                        problem,
                        "check the network, then run the same command again: it continues where it stopped",
                    ));
                }
                tracing::warn!("{}: {problem}; trying again from byte {}", wanted.url, length(&part));
                std::thread::sleep(Duration::from_millis(200) * idle);
            }
        }
    }
    if let Some(found) = wanted.checksum.map(|checksum| checksum.differs(&part)).transpose()?.flatten() {
        let _ = fs::remove_file(&part);
        let problem = format!("the checksum of what came is {found}, which is not the published one");
        return Err(trouble(wanted, problem, "the bytes were thrown away: run the command again, or fetch the file by other means"));
    }
    fs::rename(&part, wanted.path).map_err(|source| Error::io(wanted.path, "create it", source))
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

/// Asks for what is missing and appends what comes.
fn attempt(agent: &Agent, wanted: &Wanted, part: &Path, progress: &mut dyn FnMut(u64, Option<u64>)) -> std::result::Result<(), Trouble> {
    let have = length(part);
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
            let _ = fs::remove_file(part);
            return Err(Trouble::Cut("the server has no such part of the file".to_owned()));
        }
        status if status.is_server_error() => return Err(Trouble::Cut(format!("the server answers {status}"))),
        status => {
            let problem = format!("the server answers {status}");
            return Err(Trouble::Final(trouble(wanted, problem, wanted.remedy)));
        }
    };
    let announced = content_length(&response).map(|rest| start + rest);
    let total = announced.or(wanted.bytes);
    let disk = |source| Trouble::Final(Error::io(part, "write to it", source));
    let mut file = open(part, start).map_err(disk)?;
    let mut body = response.into_body().into_reader();
    let (mut buffer, mut have) = (vec![0; 1 << 16], start);
    loop {
        let read = match body.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Trouble::Cut(format!("the connection broke at byte {have} ({error})"))),
        };
        file.write_all(&buffer[..read]).map_err(disk)?;
        have += read as u64;
        progress(have, total);
    }
    match total {
        Some(total) if have < total => Err(Trouble::Cut(format!("the connection ended at byte {have} of {total}"))),
        _ => file.sync_all().map_err(disk),
    }
}

fn open(part: &Path, start: u64) -> io::Result<File> {
    let mut options = OpenOptions::new();
    if start > 0 {
        return options.append(true).open(part);
    }
    options.write(true).create(true).truncate(true).open(part)
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
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
