//! Matrices as products and transpositions see them: numbers with two strides.

/// A strided matrix: entry (i, j) is `values[i·rows + j·columns]`.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a, T> {
    pub(crate) values: &'a [T],
    pub(crate) rows: usize,
    pub(crate) columns: usize,
}

impl<'a, T> Matrix<'a, T> {
    /// The matrix from row i and column j on; nothing, where that lies beyond its values.
    #[inline(always)]
    pub(crate) fn tail(self, [i, j]: [usize; 2]) -> Self {
        let first = (i * self.rows + j * self.columns).min(self.values.len());
        Self { values: &self.values[first..], ..self }
    }

    /// True when its rows or its columns are contiguous.
    pub(crate) fn is_regular(&self) -> bool {
        self.rows == 1 || self.columns == 1
    }

    /// True when a matrix of this shape lies inside its values.
    #[inline(always)]
    pub(crate) fn holds(&self, [m, n]: [usize; 2]) -> bool {
        m == 0 || n == 0 || (m - 1) * self.rows + (n - 1) * self.columns < self.values.len()
    }

    /// A row-major matrix of this width.
    pub(crate) fn dense(values: &'a [T], width: usize) -> Self {
        Self { values, rows: width, columns: 1 }
    }

    /// The transpose of a row-major matrix of this width.
    pub(crate) fn transposed(values: &'a [T], width: usize) -> Self {
        Self { values, rows: 1, columns: width }
    }
}
