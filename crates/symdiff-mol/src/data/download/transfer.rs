//! One file over HTTP, taken up again where a connection broke.

use super::{Remote, md5_of};
use crate::error::{Error, Result};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use ureq::Agent;
use ureq::http::{Response, StatusCode, header};

/// Broken connections in a row, without a byte gained, before the download is given up.
const PATIENCE: u32 = 4;
/// A server that is silent for so long is gone.
const SILENCE: Duration = Duration::from_secs(60);

/// Downloads a file into a folder, unless it is there already; `progress` is called with the bytes so far and the bytes in all, if known.
/// Returns the file's path.
///
/// # Errors
/// [`Error::Download`] where the server cannot be reached, refuses, or sends other bytes than were published; [`Error::Io`] for
/// a refusal of the disk. What has come so far stays for the next run, unless its checksum is wrong.
pub fn download(remote: &Remote, folder: &Path, progress: &mut dyn FnMut(u64, Option<u64>)) -> Result<PathBuf> {
    let path = folder.join(remote.file);
    if path.exists() && md5_of(&path)? == remote.md5 {
        return Ok(path);
    }
    fs::create_dir_all(folder).map_err(|source| Error::io(folder, "create it", source))?;
    let part = folder.join(format!("{}.part", remote.file));
    let agent: Agent = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_connect(Some(SILENCE))
        .timeout_recv_response(Some(SILENCE))
        .build()
        .into();
    let mut idle = 0;
    loop {
        let before = length(&part);
        match attempt(&agent, remote, &part, progress) {
            Ok(()) => break,
            Err(Trouble::Final(error)) => return Err(error),
            Err(Trouble::Cut(problem)) => {
                idle = if length(&part) > before { 0 } else { idle + 1 };
                if idle == PATIENCE {
                    return Err(trouble(
                        remote,
                        problem,
                        "check the network, then run the same command again: it continues where it stopped",
                    ));
                }
                tracing::warn!("{}: {problem}; trying again from byte {}", remote.url, length(&part));
                std::thread::sleep(Duration::from_millis(200) * idle);
            }
        }
    }
    let found = md5_of(&part)?;
    if found != remote.md5 {
        let _ = fs::remove_file(&part);
        let problem = format!("the checksum of what came is {found}, and {} was published", remote.md5);
        return Err(trouble(remote, problem, "the bytes were thrown away: run the command again, or fetch the file by other means"));
    }
    fs::rename(&part, &path).map_err(|source| Error::io(&path, "create it", source))?;
    Ok(path)
}

/// Why an attempt ended early.
enum Trouble {
    /// Worth another attempt.
    Cut(String),
    /// Not.
    Final(Error),
}

/// Asks for what is missing and appends what comes.
fn attempt(agent: &Agent, remote: &Remote, part: &Path, progress: &mut dyn FnMut(u64, Option<u64>)) -> std::result::Result<(), Trouble> {
    let have = length(part);
    if remote.bytes.is_some_and(|bytes| bytes == have) {
        return Ok(());
    }
    let mut request = agent.get(remote.url);
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
            return Err(Trouble::Final(trouble(remote, problem, "the file may have moved: look for it at the data set's home page")));
        }
    };
    let announced = content_length(&response).map(|rest| start + rest);
    let total = announced.or(remote.bytes);
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

fn trouble(remote: &Remote, problem: String, remedy: &'static str) -> Error {
    Error::Download { url: remote.url.to_owned(), problem, remedy }
}
