//! Every command in the book and the READMEs is one that the program accepts, and every example that they name exists.

mod common;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use common::{lines, root, texts};
use std::path::Path;
use symdiff_cli::{Cli, builtin};

/// Commands of `cargo xtask` that the installed program lacks.
const DEVELOPERS: [&str; 6] = ["bench", "parity", "check-ops", "tidy", "torture", "gpu-bundle"];

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// The commands in blocks of shell code, continued lines joined, without comments.
fn commands(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut begun = String::new();
    for line in lines(text).filter(|(language, _)| matches!(language, Some("sh" | "bash"))).map(|(_, line)| line) {
        let line = line.split(" # ").next().unwrap_or_default().trim();
        match line.strip_suffix('\\') {
            Some(start) => begun += start,
            None => found.push(std::mem::take(&mut begun) + line),
        }
    }
    found
}

/// The words of a simple command up to a pipe or a redirection; quotes hold words together.
fn words(command: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for c in command.chars() {
        match (c, quote) {
            ('\'' | '"', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            ('|' | '>' | ';' | '&', None) => break,
            (' ', None) => words.push(std::mem::take(&mut word)),
            _ => word.push(c),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

/// What is wrong with a command, where it is one of ours.
fn refused(command: &str) -> Option<String> {
    let words = words(command);
    let words: Vec<&str> = words.iter().map(String::as_str).skip_while(|word| word.contains('=')).collect();
    let arguments = match words[..] {
        ["cargo", "xtask", command, ..] if DEVELOPERS.contains(&command) => return None,
        ["cargo", "xtask", ..] => &words[2..],
        ["symdiff", ..] => &words[1..],
        ["cargo", "run", ..] => return missing_example(&words),
        _ => return None,
    };
    if let ["train", experiment, ..] = arguments
        && Path::new(experiment).extension().is_none()
        && builtin::experiment(experiment).is_none()
    {
        return Some(format!("no experiment `{experiment}` is compiled in"));
    }
    match Cli::try_parse_from(["symdiff"].iter().chain(arguments)) {
        Err(error) if !matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => Some(error.to_string()),
        _ => None,
    }
}

/// `cargo run … -p CRATE --example NAME` without such an example.
fn missing_example(words: &[&str]) -> Option<String> {
    let after = |flag: &str| words.iter().skip_while(|word| **word != flag).nth(1);
    let (package, name) = (after("-p")?, after("--example")?);
    let folder = root().join("crates").join(package).join("examples");
    let there = folder.join(name).with_extension("rs").is_file() || folder.join(name).join("main.rs").is_file();
    (!there).then(|| format!("{package} has no example `{name}`"))
}

#[test]
fn every_command_of_the_texts_is_accepted() -> Outcome {
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for (file, text) in texts()? {
        for command in commands(&text) {
            seen += 1;
            wrong.extend(refused(&command).map(|problem| format!("{}: {command}: {problem}", file.display())));
        }
    }
    assert!(seen > 50, "only {seen} commands were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// The examples of a command's help and of its subcommands'.
fn examples(command: &clap::Command) -> Vec<String> {
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let own = help.lines().filter_map(|line| line.strip_prefix("  symdiff ")?.split("  ").next().map(|line| format!("symdiff {line}")));
    own.chain(command.get_subcommands().flat_map(examples)).collect()
}

#[test]
fn every_example_of_the_help_is_accepted() {
    let examples = examples(&Cli::command());
    assert!(examples.len() > 20, "{examples:?}");
    let wrong: Vec<String> = examples.iter().filter_map(|command| Some(format!("{command}: {}", refused(command)?))).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn wrong_commands_are_noticed() {
    assert!(refused("symdiff sample --run runs/mine -n 4 --out 'a b.xyz' | tail").is_none());
    assert!(refused("symdiff sample --no-such-option").is_some());
    assert!(refused("cargo xtask train symdiff-large").is_some());
    assert!(refused("cargo run --release -p symdiff-core --example eleven_lines").is_some());
    assert_eq!(commands("```sh\nsymdiff train a.toml \\\n  --resume   # goes on\n```"), ["symdiff train a.toml --resume"]);
}
