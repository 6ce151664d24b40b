//! Chemical elements: symbols and atomic numbers, nothing else.

/// Symbols by atomic number, from hydrogen (1).
const SYMBOLS: [&str; 118] = [
    "H", "He", "Li", "Be", "B", "C", "N", "O", "F", "Ne", "Na", "Mg", "Al", "Si", "P", "S", "Cl", "Ar", "K", "Ca", "Sc", "Ti", "V", "Cr",
    "Mn", "Fe", "Co", "Ni", "Cu", "Zn", "Ga", "Ge", "As", "Se", "Br", "Kr", "Rb", "Sr", "Y", "Zr", "Nb", "Mo", "Tc", "Ru", "Rh", "Pd",
    "Ag", "Cd", "In", "Sn", "Sb", "Te", "I", "Xe", "Cs", "Ba", "La", "Ce", "Pr", "Nd", "Pm", "Sm", "Eu", "Gd", "Tb", "Dy", "Ho", "Er",
    "Tm", "Yb", "Lu", "Hf", "Ta", "W", "Re", "Os", "Ir", "Pt", "Au", "Hg", "Tl", "Pb", "Bi", "Po", "At", "Rn", "Fr", "Ra", "Ac", "Th",
    "Pa", "U", "Np", "Pu", "Am", "Cm", "Bk", "Cf", "Es", "Fm", "Md", "No", "Lr", "Rf", "Db", "Sg", "Bh", "Hs", "Mt", "Ds", "Rg", "Cn",
    "Nh", "Fl", "Mc", "Lv", "Ts", "Og",
];

/// The symbol of an atomic number; `None` outside 1 to 118.
///
/// ```
/// assert_eq!(symdiff_mol::element::symbol(6), Some("C"));
/// assert_eq!(symdiff_mol::element::symbol(0), None);
/// ```
pub fn symbol(atomic_number: u8) -> Option<&'static str> {
    SYMBOLS.get(usize::from(atomic_number).checked_sub(1)?).copied()
}

/// The symbol for messages: `?` where there is no such element.
pub(crate) fn symbol_or_mark(atomic_number: u8) -> &'static str {
    symbol(atomic_number).unwrap_or("?")
}

/// The atomic number of a symbol, whatever its case, or of an atomic number written out.
///
/// ```
/// assert_eq!(symdiff_mol::element::atomic_number("CL"), Some(17));
/// assert_eq!(symdiff_mol::element::atomic_number("17"), Some(17));
/// assert_eq!(symdiff_mol::element::atomic_number("Xx"), None);
/// ```
pub fn atomic_number(text: &str) -> Option<u8> {
    if let Ok(number) = text.parse::<u8>() {
        return symbol(number).map(|_| number);
    }
    SYMBOLS.iter().position(|symbol| symbol.eq_ignore_ascii_case(text)).map(|index| index as u8 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_and_numbers_are_inverse() {
        for z in 1..=118 {
            assert_eq!(symbol(z).and_then(atomic_number), Some(z));
        }
        for (z, name) in [(1, "H"), (35, "Br"), (53, "I"), (80, "Hg"), (83, "Bi")] {
            assert_eq!(symbol(z), Some(name));
        }
    }
}
