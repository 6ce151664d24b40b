//! Files of the Hugging Face Hub, kept where its own programs keep them, so that both find what the other has fetched.
//!
//! A file is asked for by name and revision; the answer names the commit and the file's SHA-256. The bytes lie in `blobs/SHA-256` under the
//! repository's folder, `snapshots/COMMIT/FILE` is a link to them, and `refs/REVISION` holds the commit.

use super::transfer::{Checksum, Wanted, agent, transfer};
use crate::error::{Error, Result};
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use symdiff_files::Output;
use ureq::http::{HeaderMap, Response};

/// Redirects within the server that are followed: a repository that was renamed.
const MOST_MOVES: usize = 5;

/// A file of a repository: `hf:OWNER/REPO/FILE`, or `hf:OWNER/REPO@REVISION/FILE` (`main` where none is named).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubFile {
    /// `OWNER/REPO`.
    pub repository: String,
    /// Branch, tag or commit.
    pub revision: String,
    /// Its path in the repository.
    pub file: String,
}

impl FromStr for HubFile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = || format!("`{text}` is no file of the Hub; write hf:OWNER/REPO/FILE, or hf:OWNER/REPO@REVISION/FILE");
        let mut parts = text.strip_prefix("hf:").ok_or_else(form)?.splitn(3, '/');
        let (owner, name, file) = (parts.next().ok_or_else(form)?, parts.next().ok_or_else(form)?, parts.next().ok_or_else(form)?);
        let (name, revision) = name.split_once('@').unwrap_or((name, "main"));
        // What is a folder's name here and part of an address there may hold no more than names do.
        let plain = |word: &str| {
            let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
            !word.is_empty() && !word.starts_with('.') && word.chars().all(known)
        };
        if [owner, name, revision].into_iter().chain(file.split('/')).all(plain) {
            Ok(Self { repository: format!("{owner}/{name}"), revision: revision.to_owned(), file: file.to_owned() })
        } else {
            Err(form())
        }
    }
}

impl fmt::Display for HubFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { repository, revision, file } = self;
        write!(f, "hf:{repository}@{revision}/{file}")
    }
}

/// Where files come from and where they are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hub {
    /// The server, without a slash at its end.
    pub endpoint: String,
    /// The folder of all repositories.
    pub cache: PathBuf,
    /// Uses what is there and asks nobody.
    pub offline: bool,
}

impl Hub {
    /// As the environment says, in the Hub's own variables: `HF_ENDPOINT`; `HF_HUB_CACHE`, or else `hub` in `HF_HOME`, in `$XDG_CACHE_HOME/huggingface` or in
    /// `~/.cache/huggingface`; `HF_HUB_OFFLINE`.
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let folder = |name: &str| set(name).map(PathBuf::from);
        let user = || folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache"))).unwrap_or_else(|| PathBuf::from(".cache"));
        let home = || folder("HF_HOME").unwrap_or_else(|| user().join("huggingface"));
        let endpoint = set("HF_ENDPOINT").unwrap_or_else(|| "https://huggingface.co".to_owned());
        Self {
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            cache: folder("HF_HUB_CACHE").unwrap_or_else(|| home().join("hub")),
            offline: set("HF_HUB_OFFLINE").is_some_and(|value| matches!(value.to_lowercase().as_str(), "1" | "on" | "yes" | "true")),
        }
    }

    /// The file's place on this machine, fetched unless it is there; `progress` is called with the bytes so far and the bytes in all. Bytes must have the SHA-256 that the server
    /// publishes and, if one is given, `sha256`.
    ///
    /// # Errors
    /// [`Error::Download`] where the file is not there and cannot be had, or has other bytes; [`Error::Io`] and [`Error::Output`] for a refusal of the disk.
    pub fn fetch(&self, wanted: &HubFile, sha256: Option<&str>, progress: &mut dyn FnMut(u64, Option<u64>)) -> Result<PathBuf> {
        let folder = self.cache.join(format!("models--{}", wanted.repository.replace('/', "--")));
        let path = if self.offline {
            let remedy = "fetch it once without HF_HUB_OFFLINE, or name the revision that is there";
            kept(&folder, wanted)
                .ok_or_else(|| trouble(&wanted.to_string(), "not on this machine, and the network is not asked", remedy))?
        } else {
            self.fetch_from_server(wanted, &folder, progress)?
        };
        if let Some(found) = sha256.map(|expected| Checksum::Sha256(expected).differs(&path)).transpose()?.flatten() {
            let problem = format!("its SHA-256 is {found}, which is not the one asked for");
            return Err(trouble(&wanted.to_string(), problem, "ask the author which is right"));
        }
        Ok(path)
    }

    fn fetch_from_server(&self, wanted: &HubFile, folder: &Path, progress: &mut dyn FnMut(u64, Option<u64>)) -> Result<PathBuf> {
        let url = format!("{}/{}/resolve/{}/{}", self.endpoint, wanted.repository, wanted.revision, wanted.file);
        let published = match self.ask(&url) {
            Ok(published) => published,
            Err(Refusal::Final(problem)) => return Err(trouble(&url, problem, "check the names of repository, revision and file")),
            Err(Refusal::Silent(problem)) => {
                let remedy = "check the network and HF_ENDPOINT, then run the same command again";
                let earlier = kept(folder, wanted).ok_or_else(|| trouble(&url, problem, remedy))?;
                tracing::warn!("{url}: the server cannot be reached; what was fetched earlier is used");
                return Ok(earlier);
            }
        };
        let path = folder.join("snapshots").join(&published.commit).join(&wanted.file);
        if !path.is_file() {
            let blob = folder.join("blobs").join(&published.name);
            let checksum = is_sha256(&published.name).then_some(Checksum::Sha256(&published.name));
            if checksum.is_none() {
                tracing::warn!("{url}: the server publishes no SHA-256 of it; only its length is checked");
            }
            let url = format!("{}/{}/resolve/{}/{}", self.endpoint, wanted.repository, published.commit, wanted.file);
            let remedy = "look for it in the repository's list of files";
            transfer(&Wanted { url: &url, path: &blob, bytes: published.bytes, checksum, remedy }, progress)?;
            link(&blob, &path, wanted.file.split('/').count())?;
        }
        remember(&folder.join("refs").join(&wanted.revision), &published.commit)?;
        Ok(path)
    }

    /// What the server says of a file.
    fn ask(&self, url: &str) -> Result<Published, Refusal> {
        let agent = agent(0);
        let mut place = url.to_owned();
        for _ in 0..MOST_MOVES {
            let response = agent.head(&place).call().map_err(|error| Refusal::Silent(error.to_string()))?;
            let headers = response.headers();
            let moved = text(headers, "location").filter(|_| response.status().is_redirection());
            match moved {
                // A path on this server: the repository has another name. An address elsewhere is where the bytes lie.
                Some(moved) if moved.starts_with('/') => place = format!("{}{moved}", self.endpoint),
                _ => return Published::of(&response),
            }
        }
        Err(Refusal::Final(format!("the server moves it more than {MOST_MOVES} times")))
    }
}

/// What a server publishes of a file.
struct Published {
    /// The commit that the revision stands for.
    commit: String,
    /// The name of its bytes: their SHA-256, or git's name of small files.
    name: String,
    bytes: Option<u64>,
}

impl Published {
    fn of<B>(response: &Response<B>) -> Result<Self, Refusal> {
        let (status, headers) = (response.status(), response.headers());
        if status.is_server_error() {
            return Err(Refusal::Silent(format!("the server answers {status}")));
        }
        if !status.is_success() && !status.is_redirection() {
            return Err(Refusal::Final(format!("the server answers {status}")));
        }
        let plain = |word: &String| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric());
        let name = text(headers, "x-linked-etag").or_else(|| text(headers, "etag"));
        let name = name.map(|tag| tag.trim_start_matches("W/").trim_matches('"').to_owned()).filter(plain);
        let commit = text(headers, "x-repo-commit").map(str::to_owned).filter(plain);
        let size = text(headers, "x-linked-size").or_else(|| text(headers, "content-length").filter(|_| status.is_success()));
        match commit.zip(name) {
            Some((commit, name)) => Ok(Self { commit, name, bytes: size.and_then(|bytes| bytes.parse().ok()) }),
            None => Err(Refusal::Final("the server names no commit and no checksum, so it is no Hub; check HF_ENDPOINT".to_owned())),
        }
    }
}

/// Why a server gave no answer that can be used.
enum Refusal {
    /// It cannot be reached or is ill; what was fetched earlier will do.
    Silent(String),
    /// It says no.
    Final(String),
}

/// The file of an earlier call.
fn kept(folder: &Path, wanted: &HubFile) -> Option<PathBuf> {
    let commit = fs::read_to_string(folder.join("refs").join(&wanted.revision)).unwrap_or_else(|_| wanted.revision.clone());
    let path = folder.join("snapshots").join(commit.trim()).join(&wanted.file);
    path.is_file().then_some(path)
}

fn remember(reference: &Path, commit: &str) -> Result<()> {
    if fs::read_to_string(reference).is_ok_and(|there| there == commit) {
        return Ok(());
    }
    let folder = reference.parent().unwrap_or(reference);
    fs::create_dir_all(folder).map_err(|source| Error::io(folder, "create it", source))?;
    match Output::create(reference) {
        // Another process that has fetched from this revision is writing the same.
        Err(symdiff_files::Error::Place { .. }) if !reference.is_dir() => Ok(()),
        output => Ok(output?.fill(commit)?),
    }
}

/// A link from the snapshot, whose file lies `depth` names deep, to the bytes; a copy where the system has no links.
fn link(blob: &Path, path: &Path, depth: usize) -> Result<()> {
    let failed = |source| Error::io(path, "create it", source);
    fs::create_dir_all(path.parent().unwrap_or(path)).map_err(failed)?;
    // A link to bytes that are gone.
    if path.is_symlink() {
        fs::remove_file(path).map_err(failed)?;
    }
    #[cfg(unix)]
    {
        let mut target: PathBuf = std::iter::repeat_n("..", depth + 1).collect();
        target.extend(["blobs".as_ref(), blob.file_name().unwrap_or_default()]);
        match std::os::unix::fs::symlink(target, path) {
            // By another process that has fetched the same file.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_file() => Ok(()),
            linked => linked.map_err(failed),
        }
    }
    #[cfg(not(unix))]
    {
        let _ = depth;
        fs::copy(blob, path).map(drop).map_err(failed)
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn is_sha256(name: &str) -> bool {
    name.len() == 64 && name.chars().all(|c| c.is_ascii_hexdigit())
}

fn trouble(url: &str, problem: impl Into<String>, remedy: &'static str) -> Error {
    Error::Download { url: url.to_owned(), problem: problem.into(), remedy }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_paths_out_of_the_cache_are_refused() {
        let file: HubFile = "hf:owner/repo/folder/model.safetensors".parse().unwrap();
        assert_eq!(
            (file.repository.as_str(), file.revision.as_str(), file.file.as_str()),
            ("owner/repo", "main", "folder/model.safetensors")
        );
        assert_eq!("hf:owner/repo@v1/a".parse::<HubFile>().unwrap().to_string(), "hf:owner/repo@v1/a");
        for wrong in
            ["owner/repo/a", "hf:owner/repo", "hf:owner/../a", "hf:o/r/../../etc", "hf:o/r/", "hf:o/r@../a", "hf:o/r/a b", "hf:o/r/a?b"]
        {
            assert!(wrong.parse::<HubFile>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_environment_is_the_hubs_own() {
        let hub =
            |set: &'static [(&str, &str)]| Hub::of(|name| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()));
        let usual = hub(&[("HOME", "/u")]);
        assert_eq!((usual.endpoint.as_str(), usual.offline), ("https://huggingface.co", false));
        assert_eq!(usual.cache, Path::new("/u/.cache/huggingface/hub"));
        assert_eq!(hub(&[("HOME", "/u"), ("XDG_CACHE_HOME", "/c")]).cache, Path::new("/c/huggingface/hub"));
        let own = hub(&[("HF_HOME", "/d"), ("HF_ENDPOINT", "http://mirror/"), ("HF_HUB_OFFLINE", "1")]);
        assert_eq!((own.endpoint.as_str(), own.cache.as_path(), own.offline), ("http://mirror", Path::new("/d/hub"), true));
        assert_eq!(hub(&[("HF_HOME", "/d"), ("HF_HUB_CACHE", "/e")]).cache, Path::new("/e"));
    }
}
