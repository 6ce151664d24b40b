//! A process that ends by `exit` while its threads write leaves whole files alone.

use std::path::Path;
use std::process::Command;
use std::time::Duration;
use symdiff_files::{Output, exit};

/// The folder to write into, where this test is the process that ends.
const FOLDER: &str = "SYMDIFF_FILES_FOLDER";
const CODE: i32 = 143;

#[test]
fn nothing_half_written_is_left_whatever_the_threads_are_at() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        write_until_the_end(Path::new(&folder));
    }
    for _ in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let this = std::env::current_exe().unwrap();
        let name = "nothing_half_written_is_left_whatever_the_threads_are_at";
        let ended = Command::new(this).args(["--exact", name]).env(FOLDER, folder.path()).output().unwrap();
        assert_eq!(ended.status.code(), Some(CODE), "{}", String::from_utf8_lossy(&ended.stderr));
        let mut whole = 0;
        for entry in folder.path().read_dir().unwrap() {
            let path = entry.unwrap().path();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), content(&path), "{}", path.display());
            whole += 1;
        }
        assert!(whole > 0, "the threads had written nothing yet");
    }
}

/// A whole file says its name.
fn content(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

fn write_until_the_end(folder: &Path) -> ! {
    for thread in 0..4 {
        let folder = folder.to_owned();
        std::thread::spawn(move || {
            // Some names again and again, others once; some files are given up.
            for round in 0_u32.. {
                let path = folder.join(format!("{thread}-{}", round % 50));
                let given_up = Output::create(&folder.join(format!("{thread}-given-up"))).unwrap();
                Output::create(&path).unwrap().fill(content(&path)).unwrap();
                drop(given_up);
            }
        });
    }
    // On a busy machine the first file may take a while.
    while !folder.join("0-0").exists() {
        std::thread::yield_now();
    }
    std::thread::sleep(Duration::from_millis(50));
    exit(CODE)
}
