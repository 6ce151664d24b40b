//! Products of every form against their definition.

use super::slivers::{Slivers, Width};
use super::*;

/// Small whole numbers, which bf16 holds: every order of summation gives the same bits.
fn filled<T: Real>(count: usize, seed: usize) -> Vec<T> {
    (0..count).map(|k| T::from_f64(((k * 7 + seed) % 11) as f64 - 5.0)).collect()
}

/// The parts of a matrix whose terms are divided at `cuts`.
fn cut<'a, T: Real>(matrix: Matrix<'a, T>, step: usize, cuts: &[usize]) -> Vec<Part<'a, T>> {
    let part = |pair: &[usize]| {
        let values = &matrix.values[(pair[0] * step).min(matrix.values.len())..];
        Part::new(Matrix { values, ..matrix }, pair[1] - pair[0])
    };
    cuts.windows(2).map(part).collect()
}

/// Asserts that all numbers agree; `what` says where they came from.
fn equal<T: Real>(got: &[T], expected: &[T], what: &str) {
    let numbers = |values: &[T]| values.iter().map(|value| value.to_f64()).collect::<Vec<f64>>();
    assert_eq!(numbers(got), numbers(expected), "{what}");
}

/// The product by its definition, from what `start` gives.
fn plain<T: Real>(start: impl Fn(usize, usize) -> T, a: Matrix<T>, b: Matrix<T>, [m, n, k]: [usize; 3]) -> Vec<T> {
    let term = |i: usize, j: usize, p: usize| a.values[i * a.rows + p * a.columns] * b.values[p * b.rows + j * b.columns];
    (0..m * n).map(|at| (0..k).fold(start(at / n, at % n), |sum, p| sum + term(at / n, at % n, p))).collect()
}

/// All starts, strides and divisions into parts of a product of these sizes, with right operands packed in one way. Around the rows that are
/// added to lie numbers that must stay.
fn check<T: Real>(sizes: [usize; 3], form: &str, packed: impl Fn(&[Part<T>], usize) -> Packed<T>) {
    const GUARD: usize = 130;
    let [m, n, k] = sizes;
    let (left, right, row) = (filled::<T>(m * k, 1), filled::<T>(k * n, 2), filled::<T>(n, 3));
    let cuts = [0, k / 3, k / 3, k];
    for (a_rows, a_columns) in [(k, 1), (1, m)] {
        for (b_rows, b_columns) in [(n, 1), (1, k)] {
            let what = format!("{form}, {sizes:?}, strides {a_rows}, {a_columns} and {b_rows}, {b_columns}");
            let a = Matrix { values: &left, rows: a_rows, columns: a_columns };
            let b = Matrix { values: &right, rows: b_rows, columns: b_columns };
            let (whole, parted) = (packed(&[Part::new(b, k)], n), packed(&cut(b, b_rows, &cuts), n));
            let from_zero = plain(|_, _| T::default(), a, b, sizes);
            equal(&product(None, &[Part::new(a, k)], &whole, m), &from_zero, &what);
            equal(&product(None, &cut(a, a_columns, &cuts), &parted, m), &from_zero, &format!("{what}, in parts"));
            let from_row = plain(|_, j| row[j], a, b, sizes);
            equal(&product(Some(&row), &[Part::new(a, k)], &whole, m), &from_row, &format!("{what}, from a row"));

            let stride = n + 3;
            let mut held = filled::<T>(2 * GUARD + m * stride, 4);
            let sums = plain(|i, j| held[GUARD + i * stride + j], a, b, sizes);
            let mut out = held.clone();
            let end = GUARD + (m - 1) * stride + n;
            multiply(Target { values: &mut out[GUARD..end], stride, add: true }, a, &whole, m);
            held[GUARD..].chunks_mut(stride).zip(sums.chunks(n)).for_each(|(row, sums)| row[..n].copy_from_slice(sums));
            equal(&out, &held, &format!("{what}, added"));
        }
    }
}

const SHAPES: [[usize; 3]; 9] = [
    [1, 1, 1],
    [3, 5, 0],
    [6, 64, 8],
    [7, 65, 9],
    [11, 16, 33],
    [2, 200, 30],
    [CHUNK + 5, 130, 40],
    [13, 400, DEPTH + 1],
    [35, 97, 2 * DEPTH + 1],
];

#[test]
fn every_entry_of_every_shape_is_the_sum_of_its_terms() {
    for shape in SHAPES {
        check::<f32>(shape, "full", |parts, columns| Packed::stacked(parts, columns, Products::Full));
        check::<f64>(shape, "full", |parts, columns| Packed::stacked(parts, columns, Products::Full));
    }
}

#[test]
fn products_in_bf16_are_the_same_where_bf16_holds_the_operands() {
    for shape in SHAPES {
        check::<f32>(shape, "bf16", |parts, columns| Packed::stacked(parts, columns, Products::Bf16));
        check::<f32>(shape, "rounded", Packed::rounded);
        check::<f64>(shape, "rounded", Packed::rounded);
        #[cfg(target_arch = "x86_64")]
        check::<f32>(shape, "emulated tiles", |parts, columns| Packed::Pairs(bf16::Slivers::new(bf16::Level::Emulated, parts, columns)));
    }
}

/// Every form against the product in f64 of the rounded operands: within twice the rounding of so many sums of absolute terms.
#[test]
fn products_in_bf16_round_operands_and_nothing_else() {
    let [m, n, k] = [37, 70, 1100];
    let wild = |seed: usize| move |at: usize| ((at * 7919 + seed) % 10007) as f32 / 3001.0 * if at.is_multiple_of(3) { -1.0 } else { 1.0 };
    let (left, right): (Vec<f32>, Vec<f32>) = ((0..m * k).map(wild(1)).collect(), (0..k * n).map(wild(2)).collect());
    let rounded = |values: &[f32]| values.iter().map(|value| f64::from(value.to_bf16())).collect::<Vec<f64>>();
    let (a, b) = (rounded(&left), rounded(&right));
    let (exact, size) = (|x: f64| x, f64::abs);
    let sum = |of: fn(f64) -> f64, at: usize| (0..k).map(|p| of(a[at / n * k + p] * b[p * n + at % n])).sum::<f64>();
    let expected: Vec<[f64; 2]> = (0..m * n).map(|at| [sum(exact, at), sum(size, at)]).collect();
    let parts = [Part::new(Matrix::dense(&right, n), k)];
    let mut forms = vec![("bf16", Packed::stacked(&parts, n, Products::Bf16)), ("rounded", Packed::rounded(&parts, n))];
    #[cfg(target_arch = "x86_64")]
    forms.push(("emulated tiles", Packed::Pairs(bf16::Slivers::new(bf16::Level::Emulated, &parts, n))));
    for (form, packed) in forms {
        let got = product(None, &[Part::new(Matrix::dense(&left, k), k)], &packed, m);
        for (at, (got, [expected, size])) in got.into_iter().zip(&expected).enumerate() {
            let bound = 2.0 * k as f64 * f64::from(f32::EPSILON) / 2.0 * size;
            assert!((f64::from(got) - expected).abs() <= bound, "{form}: entry {at} is {got}, expected {expected} within {bound}");
        }
    }
}

#[test]
fn infinities_and_nan_come_through() {
    let n = 70;
    for special in [f32::INFINITY, f32::NEG_INFINITY, f32::NAN, f32::MAX] {
        let mut left = vec![1.0; 3 * 40];
        left[40 + 7] = special;
        let right = vec![1.0; 40 * n];
        let parts = [Part::new(Matrix::dense(&right, n), 40)];
        for packed in [Packed::stacked(&parts, n, Products::Bf16), Packed::rounded(&parts, n)] {
            let got = product(None, &[Part::new(Matrix::dense(&left, 40), 40)], &packed, 3);
            let expected = special.to_bf16() + 39.0;
            assert!(
                got[n..2 * n].iter().all(|&x| x.to_bits() == expected.to_bits() || x.is_nan() && expected.is_nan()),
                "{special}: {}",
                got[n]
            );
            assert!(got[..n].iter().chain(&got[2 * n..]).all(|&x| (x - 40.0).abs() < f32::EPSILON), "{special}");
        }
    }
}

#[test]
fn results_do_not_depend_on_the_rows_beside_them() {
    let (n, k) = (72, 97);
    let left: Vec<f32> = (0..(CHUNK + 40) * k).map(|at| (at as f32 * 0.37).sin()).collect();
    let right: Vec<f32> = (0..k * n).map(|at| (at as f32 * 0.11).cos()).collect();
    let packed = Packed::new(Matrix::dense(&right, n), [k, n], Products::Bf16);
    let all = product(None, &[Part::new(Matrix::dense(&left, k), k)], &packed, CHUNK + 40);
    for row in [0, 5, 6, 31, CHUNK - 1, CHUNK, CHUNK + 39] {
        let one = product(None, &[Part::new(Matrix::dense(&left[row * k..], k), k)], &packed, 1);
        assert!(one.iter().zip(&all[row * n..]).all(|(one, all)| one.to_bits() == all.to_bits()), "row {row}");
    }
}

/// The product on a given level of vector instructions, from a row.
fn on<S: pulp::Simd, T: Real>(simd: S, sizes: [usize; 3]) {
    let [m, n, k] = sizes;
    let (left, right, row) = (filled::<T>(m * k, 1), filled::<T>(k * n, 2), filled::<T>(n, 3));
    for (rows, columns) in [(k, 1), (1, m)] {
        let (a, b) = (Matrix { values: &left, rows, columns }, Matrix::dense(&right, n));
        let width = simd.vectorize(Width(std::marker::PhantomData::<T>));
        let packed = Slivers::of_width(width, &[Part::new(b, k)], n);
        let mut out = filled::<T>(m * n, 4);
        // SAFETY: a product leaves no entry uninitialised.
        let entries = unsafe { uninitialised(&mut out) };
        let start = Start::Row(&row);
        simd.vectorize(Rows { out: entries, stride: n, start, a: &[Part::new(a, k)], first: 0, b: &packed, buffer: &mut Vec::new() });
        equal(&out, &plain(|_, j| row[j], a, b, sizes), &format!("{simd:?}, {sizes:?}, strides {rows}, {columns}"));
    }
}

#[test]
fn older_vector_instructions_give_the_same() {
    for sizes in [[1, 1, 1], [7, 37, 20], [12, 100, DEPTH + 3]] {
        on::<_, f32>(pulp::Scalar::new(), sizes);
        on::<_, f64>(pulp::Scalar::new(), sizes);
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = pulp::x86::V3::try_new() {
            on::<_, f32>(avx2, sizes);
            on::<_, f64>(avx2, sizes);
        }
    }
}

#[test]
#[should_panic(expected = "the left operand holds what its strides reach")]
fn operands_that_are_too_short_are_refused() {
    let b = Packed::new(Matrix::dense(&[1.0_f32; 6], 3), [2, 3], Products::Full);
    product(None, &[Part::new(Matrix::dense(&[1.0; 7], 2), 2)], &b, 4);
}
