//! Properties in few bytes: whole multiples of a power of ten, less the least of them, in planes of one byte each, all through deflate.
//!
//! A property is its name, the power of ten, whether its values are those of `f32`, the bytes of a value, the least multiple, and the planes from
//! the highest byte down. Programs print a fixed number of decimals, so that this is exact.

use flate2::Compression;
use flate2::read::{DeflateDecoder, DeflateEncoder};
use std::collections::BTreeMap;
use std::io::Read;

/// More decimals than this are no longer those of a printed number.
const MOST_DECIMALS: u8 = 12;

type Properties = BTreeMap<String, Vec<f64>>;

/// The stored form of properties of equally many molecules; `None` where a value has more than twelve decimals.
pub fn encode_properties(properties: &Properties) -> Option<Vec<u8>> {
    let molecules = properties.values().next()?.len();
    let mut plain = u32::try_from(molecules).ok()?.to_le_bytes().to_vec();
    for (name, values) in properties {
        let single = values.iter().all(|value| f64::from(*value as f32).to_bits() == value.to_bits());
        let (decimals, steps) = (0..=MOST_DECIMALS).find_map(|decimals| Some((decimals, steps(values, decimals, single)?)))?;
        let least = *steps.iter().min()?;
        let spans: Vec<u64> = steps.iter().map(|step| step.abs_diff(least)).collect();
        let bytes = 8 - spans.iter().max()?.leading_zeros() / 8;
        plain.push(u8::try_from(name.len()).ok()?);
        plain.extend_from_slice(name.as_bytes());
        plain.extend([decimals, u8::from(single), bytes as u8]);
        plain.extend(least.to_le_bytes());
        for plane in (0..bytes).rev() {
            plain.extend(spans.iter().map(|span| (span >> (8 * plane)) as u8));
        }
    }
    let mut stored = Vec::new();
    DeflateEncoder::new(plain.as_slice(), Compression::best()).read_to_end(&mut stored).ok()?;
    Some(stored)
}

/// The values as whole multiples of 10^−decimals; `None` where one is no such multiple to the last bit.
fn steps(values: &[f64], decimals: u8, single: bool) -> Option<Vec<i64>> {
    let scale = 10_f64.powi(i32::from(decimals));
    let step = |value: &f64| {
        let step = (value * scale).round() as i64;
        (restored(step, decimals, single).to_bits() == (value + 0.0).to_bits()).then_some(step)
    };
    values.iter().map(step).collect()
}

/// The number nearest to a whole number of steps: a division, since 10^−k itself is not exact.
fn restored(step: i64, decimals: u8, single: bool) -> f64 {
    let value = step as f64 / 10_f64.powi(i32::from(decimals));
    if single { f64::from(value as f32) } else { value }
}

pub(super) fn decode(stored: &[u8]) -> Option<Properties> {
    let mut plain = Vec::new();
    DeflateDecoder::new(stored).read_to_end(&mut plain).ok()?;
    let (molecules, mut rest) = plain.split_first_chunk::<4>()?;
    let molecules = u32::from_le_bytes(*molecules) as usize;
    let mut properties = Properties::new();
    while let Some((length, after)) = rest.split_first() {
        let (name, after) = after.split_at_checked(usize::from(*length))?;
        let ([decimals, single, bytes], after) = after.split_first_chunk::<3>()?;
        let (least, after) = after.split_first_chunk::<8>()?;
        let (planes, after) = after.split_at_checked(usize::from(*bytes) * molecules)?;
        let mut spans = vec![0_u64; molecules];
        for plane in planes.chunks_exact(molecules) {
            spans.iter_mut().zip(plane).for_each(|(span, byte)| *span = (*span << 8) | u64::from(*byte));
        }
        let least = i64::from_le_bytes(*least);
        let values = spans.iter().map(|span| restored(least.wrapping_add_unsigned(*span), *decimals, *single == 1));
        properties.insert(std::str::from_utf8(name).ok()?.to_owned(), values.collect());
        rest = after;
    }
    Some(properties)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::embedded;

    #[test]
    fn the_stored_form_is_lossless_and_refuses_what_it_cannot_hold() {
        let single = |value: f64| f64::from(value as f32);
        let properties: Properties = [
            ("energy".to_owned(), vec![-5.763935415822, 12.5, 1e-12]),
            ("gap".to_owned(), vec![single(4.12818575), single(0.1), 0.0]),
            ("same".to_owned(), vec![3.0; 3]),
        ]
        .into();
        assert_eq!(decode(&encode_properties(&properties).unwrap()).unwrap(), properties);
        assert_eq!(encode_properties(&[("third".to_owned(), vec![1.0 / 3.0])].into()), None);
        assert_eq!(encode_properties(&[("nan".to_owned(), vec![f64::NAN])].into()), None);
    }

    #[test]
    fn properties_have_the_published_names_and_first_values() {
        let set = embedded();
        let names: Vec<_> = set.properties().keys().map(String::as_str).collect();
        assert_eq!(names, ["alpha", "energy", "gap", "homo", "lumo", "mu"]);
        // N2, formaldehyde and methanol.
        for (name, first) in [("energy", [-5.763935415822, -7.175648085131, -8.22611833318]), ("mu", [0.0, 2.335, 1.915])] {
            let found = set.property(name).unwrap();
            assert!(found.iter().zip(first).all(|(found, expected)| (found - expected).abs() < 1e-6), "{name}: {:?}", &found[..3]);
        }
        let [gap, homo, lumo] = ["gap", "homo", "lumo"].map(|name| set.property(name).unwrap());
        assert!((0..set.len()).all(|i| (gap[i] - (lumo[i] - homo[i])).abs() < 1.1e-4));
    }
}
