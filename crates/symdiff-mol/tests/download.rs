//! Downloads against a local server that cuts connections, forgets ranges and sends wrong bytes.

#![cfg(feature = "download")]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use symdiff_mol::Error;
use symdiff_mol::data::download::{Remote, download, md5_of};

/// How the server treats one connection.
#[derive(Clone, Copy)]
enum Manner {
    /// Sends what is asked for.
    Honest,
    /// Closes after so many bytes of the body.
    Cut(usize),
    /// Sends the whole file whatever range is asked for.
    Whole,
    /// Sends other bytes.
    Wrong,
    /// Answers with this status alone.
    Status(&'static str),
    /// Sends so many bytes, which it says are all; a length may be left unsaid.
    Other(usize, bool),
}

struct Server {
    url: String,
    asked: Arc<Mutex<Vec<u64>>>,
}

fn content() -> Vec<u8> {
    (0..300_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

/// Serves one connection in each manner, then the last one for ever.
fn serve(manners: Vec<Manner>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/file", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    std::thread::spawn(move || {
        let last = *manners.last().unwrap();
        for manner in manners.into_iter().chain(std::iter::repeat(last)) {
            let Ok((stream, _)) = listener.accept() else { return };
            // A client that hangs up is part of the test.
            let _ = answer(&stream, manner, &log);
        }
    });
    Server { url, asked }
}

fn answer(mut stream: &TcpStream, manner: Manner, log: &Mutex<Vec<u64>>) -> std::io::Result<()> {
    let mut start = 0;
    for line in BufReader::new(stream).lines() {
        let line = line?.to_ascii_lowercase();
        if let Some(range) = line.strip_prefix("range: bytes=") {
            start = range.trim_end_matches('-').parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    log.lock().unwrap().push(start);
    let content = content();
    if let Manner::Status(status) = manner {
        return write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }
    if let Manner::Other(bytes, told) = manner {
        let length = if told { format!("Content-Length: {bytes}\r\n") } else { String::new() };
        write!(stream, "HTTP/1.1 200 OK\r\n{length}Connection: close\r\n\r\n")?;
        return stream.write_all(&vec![7; bytes]);
    }
    let start = if matches!(manner, Manner::Whole) { 0 } else { start as usize };
    if start >= content.len() {
        return write!(stream, "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }
    let mut body = content[start..].to_vec();
    let (status, range) = match start {
        0 => ("200 OK", String::new()),
        _ => ("206 Partial Content", format!("Content-Range: bytes {start}-{}/{}\r\n", content.len() - 1, content.len())),
    };
    write!(stream, "HTTP/1.1 {status}\r\n{range}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len())?;
    match manner {
        Manner::Cut(after) => body.truncate(after),
        Manner::Wrong => body[0] ^= 1,
        _ => {}
    }
    stream.write_all(&body)
}

fn remote(server: &Server) -> Remote {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy");
    std::fs::write(&copy, content()).unwrap();
    let md5 = md5_of(&copy).unwrap();
    Remote { file: "file.bin", url: server.url.clone().leak(), bytes: Some(300_000), md5: md5.leak() }
}

fn fetch(server: &Server, folder: &Path) -> Result<Vec<u8>, Error> {
    download(&remote(server), folder, &mut |_, _| {}).map(|path| std::fs::read(path).unwrap())
}

#[test]
fn checksums_are_md5() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("abc");
    std::fs::write(&path, "abc").unwrap();
    assert_eq!(md5_of(&path).unwrap(), "900150983cd24fb0d6963f7d28e17f72");
}

#[test]
fn a_cut_connection_is_taken_up_where_it_broke() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve(vec![Manner::Cut(100_000), Manner::Cut(50_000), Manner::Honest]);
    assert!(fetch(&server, folder.path()).unwrap() == content());
    assert_eq!(*server.asked.lock().unwrap(), [0, 100_000, 150_000]);
    assert!(!folder.path().join("file.bin.part").exists());
    // What is there and right is not fetched again.
    assert!(fetch(&server, folder.path()).unwrap() == content());
    assert_eq!(server.asked.lock().unwrap().len(), 3);
}

#[test]
fn a_later_run_continues_and_a_server_without_ranges_starts_over() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file.bin.part"), &content()[..1234]).unwrap();
    let server = serve(vec![Manner::Whole]);
    assert!(fetch(&server, folder.path()).unwrap() == content());
    assert_eq!(*server.asked.lock().unwrap(), [1234]);
}

#[test]
fn wrong_bytes_are_thrown_away_with_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let message = fetch(&serve(vec![Manner::Wrong]), folder.path()).unwrap_err().to_string();
    assert!(message.contains("checksum") && message.contains("thrown away"), "{message}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn refusals_and_silence_are_told_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let message = |manner| fetch(&serve(vec![manner]), folder.path()).unwrap_err().to_string();
    assert!(message(Manner::Status("404 Not Found")).contains("404"));
    assert!(message(Manner::Status("503 Service Unavailable")).contains("check the network"));
    assert!(message(Manner::Cut(0)).contains("continues where it stopped"));
    let closed = Server { url: "http://127.0.0.1:1/".to_owned(), asked: Arc::default() };
    assert!(fetch(&closed, folder.path()).unwrap_err().to_string().contains("check the network"));
}

/// A server that says another length is not read, and one that says none is not read beyond the published one.
#[test]
fn another_length_than_the_published_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let asked = |manner| {
        let server = serve(vec![manner]);
        let message = fetch(&server, folder.path()).unwrap_err().to_string();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{message}");
        (message, server.asked.lock().unwrap().len())
    };
    for bytes in [299_999, 300_001] {
        let (message, requests) = asked(Manner::Other(bytes, true));
        assert!(message.contains(&format!("the server has {bytes} bytes of it, and 300000 are published")), "{message}");
        assert_eq!(requests, 1);
    }
    let (message, _) = asked(Manner::Other(10_000_000, false));
    assert!(message.contains("more than the 300000 bytes came") && message.contains("thrown away"), "{message}");
    // Its end looks like a broken connection, again and again.
    let server = serve(vec![Manner::Other(299_999, false)]);
    let message = fetch(&server, folder.path()).unwrap_err().to_string();
    assert!(message.contains("the connection ended at byte 299999 of 300000"), "{message}");
    assert!(server.asked.lock().unwrap().len() <= 6);
}

/// Two that append to one file would make neither's; what the first has so far is not touched.
#[test]
fn a_file_that_another_process_fetches_is_left_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let part = folder.path().join("file.bin.part");
    std::fs::write(&part, &content()[..1234]).unwrap();
    let first = std::fs::File::open(&part).unwrap();
    first.lock().unwrap();
    let server = serve(vec![Manner::Honest]);
    let error = fetch(&server, folder.path()).unwrap_err();
    assert!(error.is_input() && error.to_string().contains("another process is writing it"), "{error}");
    assert!(server.asked.lock().unwrap().is_empty() && std::fs::read(&part).unwrap() == content()[..1234]);
    drop(first);
    assert!(fetch(&server, folder.path()).unwrap() == content());
    // All at once: one has it, the others are told, or find it there.
    let folder = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..4).map(|_| scope.spawn(|| fetch(&server, folder.path()))).collect();
        let fetched = all.into_iter().map(|one| one.join().unwrap()).filter(|fetched| match fetched {
            Ok(bytes) => *bytes == content(),
            Err(error) => !error.to_string().contains("another process"),
        });
        assert!(fetched.count() >= 1);
    });
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}
