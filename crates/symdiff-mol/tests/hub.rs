//! Files of a Hub on this machine: redirects, ranges, checksums, what is kept, and what is done without a network.

#![cfg(feature = "download")]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use symdiff_mol::Error;
use symdiff_mol::data::download::{Hub, HubFile, sha256_of};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// A Hub with one file, whose bytes lie under another path of the same server.
struct Server {
    endpoint: String,
    asked: Arc<Mutex<Vec<String>>>,
}

fn content() -> Vec<u8> {
    (0..200_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

fn checksum(folder: &Path) -> String {
    let copy = folder.join("copy");
    std::fs::write(&copy, content()).unwrap();
    sha256_of(&copy).unwrap()
}

/// Serves the file under this checksum; the first answer with bytes ends after `cut` of them.
fn serve(sha256: String, cut: Option<usize>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (log, mut cut) = (Arc::clone(&asked), cut);
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            // A client that hangs up is part of the test.
            let _ = answer(&stream, &sha256, &mut cut, &log);
        }
    });
    Server { endpoint, asked }
}

fn answer(mut stream: &TcpStream, sha256: &str, cut: &mut Option<usize>, log: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let (mut request, mut start) = (String::new(), 0);
    for line in BufReader::new(stream).lines() {
        let line = line?;
        if request.is_empty() {
            line.trim_end_matches(" HTTP/1.1").clone_into(&mut request);
        }
        if let Some(range) = line.to_ascii_lowercase().strip_prefix("range: bytes=") {
            start = range.trim_end_matches('-').parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    log.lock().unwrap().push(format!("{request} {start}"));
    let content = content();
    let path = request.split(' ').nth(1).unwrap_or_default();
    if path.starts_with("/old/name/") {
        let moved = path.replace("/old/name/", "/owner/model/");
        return write!(stream, "HTTP/1.1 307 Moved\r\nLocation: {moved}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }
    if path.starts_with("/owner/model/resolve/") && path.ends_with("/m.safetensors") {
        let size = content.len();
        return write!(
            stream,
            "HTTP/1.1 302 Found\r\nLocation: http://{}/bytes\r\nX-Repo-Commit: {COMMIT}\r\nX-Linked-Etag: \"{sha256}\"\r\nX-Linked-Size: {size}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            stream.local_addr()?
        );
    }
    if path != "/bytes" {
        return write!(stream, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }
    let mut body = content[start..].to_vec();
    let (status, range) = match start {
        0 => ("200 OK", String::new()),
        _ => ("206 Partial Content", format!("Content-Range: bytes {start}-{}/{}\r\n", content.len() - 1, content.len())),
    };
    write!(stream, "HTTP/1.1 {status}\r\n{range}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len())?;
    body.truncate(cut.take().unwrap_or(usize::MAX));
    stream.write_all(&body)
}

fn hub(endpoint: &str, folder: &Path, offline: bool) -> Hub {
    Hub { endpoint: endpoint.to_owned(), cache: folder.join("hub"), offline }
}

fn fetch(hub: &Hub, name: &str) -> Result<Vec<u8>, Error> {
    let file: HubFile = name.parse().unwrap();
    hub.fetch(&file, None, &mut |_, _| {}).map(|path| std::fs::read(path).unwrap())
}

#[test]
fn a_file_comes_through_redirects_and_broken_connections_into_the_usual_place() {
    let folder = tempfile::tempdir().unwrap();
    let sha256 = checksum(folder.path());
    let server = serve(sha256.clone(), Some(70_000));
    let hub = hub(&server.endpoint, folder.path(), false);
    assert!(fetch(&hub, "hf:old/name/m.safetensors").unwrap() == content());
    let repository = folder.path().join("hub/models--old--name");
    assert_eq!(std::fs::read_to_string(repository.join("refs/main")).unwrap(), COMMIT);
    assert!(std::fs::read(repository.join("blobs").join(&sha256)).unwrap() == content());
    let asked = server.asked.lock().unwrap().clone();
    assert!(asked.contains(&"GET /bytes 70000".to_owned()), "{asked:?}");
    // It is asked for again, and not sent again.
    assert!(fetch(&hub, "hf:old/name/m.safetensors").unwrap() == content());
    let again = server.asked.lock().unwrap()[asked.len()..].to_vec();
    assert!(!again.is_empty() && again.iter().all(|line| line.starts_with("HEAD")), "{again:?}");
}

#[test]
fn what_is_there_is_used_without_a_network_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve(checksum(folder.path()), None);
    let name = "hf:owner/model/m.safetensors";
    let offline = hub(&server.endpoint, folder.path(), true);
    let message = fetch(&offline, name).unwrap_err().to_string();
    assert!(message.contains("not on this machine") && message.contains("HF_HUB_OFFLINE"), "{message}");
    assert!(server.asked.lock().unwrap().is_empty());
    fetch(&hub(&server.endpoint, folder.path(), false), name).unwrap();
    let before = server.asked.lock().unwrap().len();
    assert!(fetch(&offline, name).unwrap() == content());
    assert!(fetch(&offline, &format!("hf:owner/model@{COMMIT}/m.safetensors")).unwrap() == content());
    assert_eq!(server.asked.lock().unwrap().len(), before);
    // A server that is gone is no reason to fail either.
    assert!(fetch(&hub("http://127.0.0.1:1", folder.path(), false), name).unwrap() == content());
    let fresh = tempfile::tempdir().unwrap();
    assert!(fetch(&hub("http://127.0.0.1:1", fresh.path(), false), name).unwrap_err().to_string().contains("check the network"));
}

#[test]
fn other_bytes_and_missing_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let right = checksum(folder.path());
    let server = serve("ab".repeat(32), None);
    let hub = hub(&server.endpoint, folder.path(), false);
    let message = fetch(&hub, "hf:owner/model/m.safetensors").unwrap_err().to_string();
    assert!(message.contains("checksum") && message.contains("thrown away"), "{message}");
    assert!(fetch(&hub, "hf:owner/model/other").unwrap_err().to_string().contains("404"));
    let server = serve(right.clone(), None);
    let hub = Hub { endpoint: server.endpoint.clone(), ..hub };
    let file: HubFile = "hf:owner/model/m.safetensors".parse().unwrap();
    assert!(hub.fetch(&file, Some(&right), &mut |_, _| {}).is_ok());
    let message = hub.fetch(&file, Some(&"0".repeat(64)), &mut |_, _| {}).unwrap_err().to_string();
    assert!(message.contains(&right) && message.contains("not the one asked for"), "{message}");
}

/// A revision that is read while it is written is the old or the new one; where another process writes it, that one's will do.
#[test]
fn a_revision_is_written_whole_and_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve(checksum(folder.path()), None);
    let refs = folder.path().join("hub/models--owner--model/refs");
    std::fs::create_dir_all(&refs).unwrap();
    std::fs::write(refs.join("main"), "older").unwrap();
    let open = std::fs::File::open(refs.join("main")).unwrap();
    fetch(&hub(&server.endpoint, folder.path(), false), "hf:owner/model/m.safetensors").unwrap();
    assert_eq!(std::fs::read_to_string(refs.join("main")).unwrap(), COMMIT);
    assert_eq!(std::io::read_to_string(open).unwrap(), "older", "the old file was written over");
    assert_eq!(refs.read_dir().unwrap().count(), 1);

    let other = symdiff_files::Output::create(&refs.join("v1")).unwrap();
    assert!(fetch(&hub(&server.endpoint, folder.path(), false), "hf:owner/model@v1/m.safetensors").unwrap() == content());
    drop(other);
}
