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

/// The atomic number of a symbol, whatever its case, or of an atomic number written out. `D` and `T` are hydrogen.
///
/// ```
/// assert_eq!(symdiff_mol::element::atomic_number("CL"), Some(17));
/// assert_eq!(symdiff_mol::element::atomic_number("17"), Some(17));
/// assert_eq!(symdiff_mol::element::atomic_number("D"), Some(1));
/// assert_eq!(symdiff_mol::element::atomic_number("Xx"), None);
/// ```
pub fn atomic_number(text: &str) -> Option<u8> {
    nuclide(text).map(|(atomic_number, _)| atomic_number)
}

/// Atomic number and mass number of a symbol as files write it; the mass number is 0 unless the symbol is `D` (2) or `T` (3).
pub(crate) fn nuclide(text: &str) -> Option<(u8, u16)> {
    if let Ok(number) = text.parse::<u8>() {
        return symbol(number).map(|_| (number, 0));
    }
    match text {
        "D" | "d" => Some((1, 2)),
        "T" | "t" => Some((1, 3)),
        _ => SYMBOLS.iter().position(|symbol| symbol.eq_ignore_ascii_case(text)).map(|index| (index as u8 + 1, 0)),
    }
}

/// The mass number of an isotope `difference` heavier than the most abundant one, as atom lines of V2000 tables say it; where no isotope is stable, than the
/// one that tables of atomic weights list. `None` where no nucleus is left.
///
/// # Source
/// The table of isotopic compositions of NIST. The specification of the format says "mass in the periodic table", which readers take for that of the most
/// abundant isotope: 79 for bromine.
pub(crate) fn mass_number_off(atomic_number: u8, difference: i16) -> Option<u16> {
    #[rustfmt::skip]
    const MOST_ABUNDANT: [i16; 118] = [
        1, 4, 7, 9, 11, 12, 14, 16, 19, 20, 23, 24, 27, 28, 31, 32, 35, 40, 39, 40, 45, 48, 51, 52, 55, 56, 59, 58, 63, 64, 69, 74, 75, 80, 79,
        84, 85, 88, 89, 90, 93, 98, 97, 102, 103, 106, 107, 114, 115, 120, 121, 130, 127, 132, 133, 138, 139, 140, 141, 142, 145, 152, 153, 158,
        159, 164, 165, 166, 169, 174, 175, 180, 181, 184, 187, 192, 193, 195, 197, 202, 205, 208, 209, 209, 210, 222, 223, 226, 227, 232, 231,
        238, 236, 238, 241, 243, 247, 249, 252, 257, 258, 259, 262, 267, 268, 271, 270, 269, 278, 281, 281, 285, 284, 289, 288, 293, 292, 294,
    ];
    let usual = MOST_ABUNDANT.get(usize::from(atomic_number).checked_sub(1)?)?;
    u16::try_from(usual.checked_add(difference)?).ok().filter(|mass| *mass >= u16::from(atomic_number))
}

/// The symbol that stands for an atom in a file without a place for mass numbers: `D` and `T` for heavy hydrogen.
pub(crate) fn written(atomic_number: u8, mass_number: u16) -> &'static str {
    match (atomic_number, mass_number) {
        (1, 2) => "D",
        (1, 3) => "T",
        _ => symbol_or_mark(atomic_number),
    }
}

/// Whether no metal rule can apply: H, and the elements of organic molecules that no one takes for metals.
pub(crate) fn is_organic(atomic_number: u8) -> bool {
    matches!(atomic_number, 1 | 5..=9 | 14..=17 | 35 | 53)
}

/// Covalent radius in angstrom; `None` beyond curium.
///
/// # Source
/// Cordero et al., Dalton Transactions 2832 (2008); of carbon that of sp³, of manganese, iron and cobalt those of low spin.
pub(crate) fn covalent_radius(atomic_number: u8) -> Option<f64> {
    #[rustfmt::skip]
    const PICOMETRES: [u8; 96] = [
        31, 28, 128, 96, 84, 76, 71, 66, 57, 58, 166, 141, 121, 111, 107, 105, 102, 106, 203, 176, 170, 160, 153, 139, 139, 132, 126, 124,
        132, 122, 122, 120, 119, 120, 120, 116, 220, 195, 190, 175, 164, 154, 147, 146, 142, 139, 145, 144, 142, 139, 139, 138, 139, 140,
        244, 215, 207, 204, 203, 201, 199, 198, 198, 196, 194, 192, 192, 189, 190, 187, 187, 175, 170, 162, 151, 144, 141, 136, 136, 132,
        145, 146, 148, 140, 150, 150, 255, 221, 215, 206, 200, 196, 190, 187, 180, 169,
    ];
    let place = usize::from(atomic_number).checked_sub(1)?;
    PICOMETRES.get(place).map(|radius| f64::from(*radius) / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_and_numbers_are_inverse() {
        for z in 1..=118 {
            assert_eq!(symbol(z).and_then(atomic_number), Some(z));
        }
        assert_eq!([(6, 1), (1, 1), (35, 2), (6, -1), (118, 0)].map(|(z, off)| mass_number_off(z, off)), [13, 2, 81, 11, 294].map(Some));
        assert_eq!([(1, -1), (2, -3), (0, 1), (119, 1), (6, i16::MAX)].map(|(z, off)| mass_number_off(z, off)), [None; 5]);
        for (z, radius) in [(1, 0.31), (5, 0.84), (6, 0.76), (17, 1.02), (34, 1.20), (53, 1.39), (80, 1.32), (83, 1.48), (96, 1.69)] {
            assert_eq!(covalent_radius(z), Some(radius));
        }
        assert_eq!((covalent_radius(0), covalent_radius(97)), (None, None));
        for (z, name) in [(1, "H"), (35, "Br"), (53, "I"), (80, "Hg"), (83, "Bi")] {
            assert_eq!(symbol(z), Some(name));
        }
    }
}
