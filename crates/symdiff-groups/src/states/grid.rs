//! Quarter turns and mirror images of pixel grids, without interpolation.

use super::{Dense, Image};
use crate::rows::{gathered, one_each};
use crate::{Error, Result};

/// How many quarter turns one step of an n-fold group is.
pub(crate) fn quarters(what: &'static str, n: u32) -> Result<u32> {
    if 4 % n == 0 {
        Ok(4 / n)
    } else {
        Err(Error::Dimension { what, n: n as usize, exists: "n = 1, 2 and 4, which move pixels onto pixels" })
    }
}

/// Each sample turned upside down if asked, then by its quarter turns counter-clockwise.
pub(crate) fn moved(image: &Image, each: impl ExactSizeIterator<Item = (u32, bool)>) -> Result<Image> {
    let what = "symmetry of an image";
    let (b, _, h, w) = image.tensor().dims4()?;
    one_each(what, each.len(), b)?;
    let mut sources = Vec::with_capacity(b * h * w);
    for (turns, flipped) in each {
        if h != w && turns % 2 == 1 {
            return Err(Error::Shape { what, got: image.tensor().dims().to_vec(), expected: "H = W, for quarter turns".into() });
        }
        for pixel in 0..h * w {
            let (i, j, ..) = (0..turns).fold((pixel / w, pixel % w, h, w), |at, _| quarter(at));
            sources.push(((if flipped { h - 1 - i } else { i }) * w + j) as u32);
        }
    }
    let pixels = gathered(&image.tensor().flatten_from(2)?, 2, &sources)?;
    Image::new(pixels.reshape(image.tensor().shape())?)
}

/// Where a pixel of a picture turned by a quarter comes from: (row, column, height, width) after → before.
fn quarter((i, j, h, w): (usize, usize, usize, usize)) -> (usize, usize, usize, usize) {
    (j, h - 1 - i, w, h)
}
