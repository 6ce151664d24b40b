//! A batch of permutations.

use crate::{Error, Observe, Result, Symmetric};

/// One permutation per sample, held on the host: node i goes to place `images[i]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permutations {
    images: Vec<u32>,
    offsets: Vec<usize>,
}

impl Permutations {
    /// The number of samples, B.
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// True when there is no sample.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Each sample's images in order: B slices, as long as the sample has nodes.
    pub fn each(&self) -> impl Iterator<Item = &[u32]> {
        self.offsets.windows(2).map(|ends| &self.images[ends[0]..ends[1]])
    }

    pub(super) fn of(each: impl IntoIterator<Item = Vec<u32>>) -> Self {
        let (mut images, mut offsets) = (Vec::new(), vec![0]);
        for permutation in each {
            images.extend(permutation);
            offsets.push(images.len());
        }
        Self { images, offsets }
    }

    pub(super) fn inverted(&self) -> Self {
        Self::of(self.each().map(|images| {
            let mut sources = vec![0; images.len()];
            images.iter().enumerate().for_each(|(from, &to)| sources[to as usize] = from as u32);
            sources
        }))
    }

    /// Where each place's node comes from, counted within its sample, `[N]`: the images of the inverse.
    pub(super) fn sources(&self) -> Vec<u32> {
        self.inverted().images
    }

    pub(super) fn offsets(&self) -> &[usize] {
        &self.offsets
    }
}

impl Symmetric {
    /// The elements that send node i of sample b to place `images[b][i]`.
    ///
    /// # Errors
    /// When a list is no permutation of the nodes of its sample.
    pub fn element(&self, images: Vec<Vec<u32>>) -> Result<Permutations> {
        for (sample, (images, n)) in images.iter().zip(self.degrees(images.len())?).enumerate() {
            let mut sorted = images.clone();
            sorted.sort_unstable();
            if !sorted.iter().copied().eq(0..n as u32) {
                let why = format!("lists {images:?}, which is no permutation of 0..{n}; name each node once");
                return Err(Error::NotAnElement { what: "permutation", sample, why });
            }
        }
        Ok(Permutations::of(images))
    }
}

/// The images of each sample.
impl Observe for Permutations {
    fn observe(&self) -> Result<Vec<Vec<f64>>> {
        Ok(self.each().map(|images| images.iter().map(|&image| f64::from(image)).collect()).collect())
    }
}
