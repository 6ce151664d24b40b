//! Every link of the book and of the READMEs leads to a file and a heading that exist, and every page is in the table of contents.

mod common;

use common::{lines, root, texts};
use std::path::Path;

/// What an absolute link to a file of this repository begins with.
const HERE: &str = "https://github.com/symdiff/symdiff/blob/main/";

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// The targets of `[text](target)` and `![text](target)`; SMILES between backticks look alike.
fn targets(line: &str) -> Vec<String> {
    let text: String = line.split('`').step_by(2).collect();
    text.split("](").skip(1).filter_map(|rest| Some(rest.split([')', ' ']).next()?.to_owned())).collect()
}

/// The anchor of a heading as mdBook and GitHub make it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase().chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect::<String>();
    kept.replace(' ', "-")
}

fn anchors(text: &str) -> Vec<String> {
    let headings = lines(text).filter_map(|(language, line)| line.strip_prefix('#').filter(|_| language.is_none()));
    headings.map(|heading| anchor(heading.trim_start_matches('#'))).collect()
}

/// What is wrong with a link of a file.
fn broken(file: &Path, target: &str) -> Option<String> {
    let (path, heading) = target.split_once('#').map_or((target, None), |(path, heading)| (path, Some(heading)));
    let place = match path.strip_prefix(HERE) {
        Some(inside) => root().join(inside),
        None if path.contains("://") || path.starts_with("mailto:") => return None,
        None if path.is_empty() => file.to_owned(),
        None => file.parent()?.join(path),
    };
    if !place.exists() {
        return Some(format!("{}: {target}: there is no such file", file.display()));
    }
    let text = heading.map(|heading| (heading, std::fs::read_to_string(&place).unwrap_or_default()));
    let missing = text.filter(|(heading, text)| !anchors(text).iter().any(|anchor| anchor == heading))?;
    Some(format!("{}: {target}: there is no heading `{}`", file.display(), missing.0))
}

#[test]
fn every_link_leads_somewhere() -> Outcome {
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for (file, text) in texts()? {
        for target in lines(&text).filter(|(language, _)| language.is_none()).flat_map(|(_, line)| targets(line)) {
            seen += 1;
            wrong.extend(broken(&file, &target));
        }
    }
    assert!(seen > 50, "only {seen} links were found");
    assert!(wrong.is_empty(), "{wrong:#?}");
    Ok(())
}

#[test]
fn every_page_is_in_the_table_of_contents() -> Outcome {
    let folder = root().join("docs/src");
    let contents = std::fs::read_to_string(folder.join("SUMMARY.md"))?;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let page = path.extension().is_some_and(|ending| ending == "md") && name != "SUMMARY.md";
        assert!(!page || contents.contains(&format!("({name})")), "{name} is not in SUMMARY.md");
    }
    Ok(())
}

#[test]
fn broken_links_are_noticed() {
    let readme = root().join("README.md");
    assert!(broken(&readme, "docs/src/guide.md#an-experiment-of-your-own").is_none());
    assert!(broken(&readme, "docs/src/guide.md#no-such-heading").is_some_and(|problem| problem.contains("no heading")));
    assert!(broken(&readme, "docs/src/nowhere.md").is_some_and(|problem| problem.contains("no such file")));
}
