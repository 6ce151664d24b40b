//! Settings of the command line over a file.

use crate::{Error, Result};
use toml::{Table, Value};

/// Sets `a.b=value` in a table; a value that is no TOML is taken as a string.
///
/// # Errors
/// [`Error::Config`] when the setting is not of that form, spans lines, or names a section that holds a value.
pub(super) fn apply(table: &mut Table, setting: &str) -> Result<()> {
    let malformed = || Error::Config(format!("`--set {}`: write it as section.key=value", setting.escape_debug()));
    let (path, text) = setting.split_once('=').filter(|_| !setting.contains('\n')).ok_or_else(malformed)?;
    let value = format!("v = {text}").parse::<Table>().ok().and_then(|mut t| t.remove("v")).unwrap_or_else(|| Value::String(text.into()));
    let mut keys: Vec<&str> = path.split('.').map(str::trim).collect();
    if keys.iter().any(|key| key.is_empty()) {
        return Err(malformed());
    }
    let last = keys.pop().ok_or_else(malformed)?;
    let mut place = table;
    for key in keys {
        let next = place.entry(key).or_insert_with(|| Value::Table(Table::new()));
        place = next.as_table_mut().ok_or_else(|| Error::Config(format!("`--set {setting}`: `{key}` is no section")))?;
    }
    if place.get(last).is_some_and(Value::is_table) != value.is_table() && place.contains_key(last) {
        return Err(Error::Config(format!("`--set {setting}`: `{last}` is a section; set one of its keys, as in {path}.key=value")));
    }
    place.insert(last.into(), value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_reach_their_place() -> Result<()> {
        let mut table: Table = "[train]\nlr = 1.0\n".parse().unwrap_or_default();
        for setting in ["train.lr=1e-4", "data.path=a b.xyz", "model.gamma={ kind = 'haar' }", "train . steps = 3"] {
            apply(&mut table, setting)?;
        }
        assert_eq!(table["train"]["lr"].as_float(), Some(1e-4));
        assert_eq!(table["train"]["steps"].as_integer(), Some(3));
        assert_eq!(table["data"]["path"].as_str(), Some("a b.xyz"));
        assert_eq!(table["model"]["gamma"]["kind"].as_str(), Some("haar"));
        Ok(())
    }

    #[test]
    fn what_is_no_setting_is_refused_in_one_line() {
        let mut table: Table = "seed = 1\n[data]\npath = 'x'\n".parse().unwrap_or_default();
        for setting in ["nonsense", "=1", "a.=1", ".a=1", "train.lr=1\nsteps=2", "data=[]", "seed.x=1"] {
            let told = apply(&mut table, setting).map_err(|error| error.to_string()).err().unwrap_or_default();
            assert!(told.contains("--set") && told.lines().count() == 1, "{setting}: {told}");
        }
    }
}
